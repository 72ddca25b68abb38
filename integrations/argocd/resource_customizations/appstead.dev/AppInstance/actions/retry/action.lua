-- A token that the operator acts on once, and records as the cause.
local os = require("os")
obj.metadata.annotations = obj.metadata.annotations or {}
obj.metadata.annotations["appstead.dev/retry"] = "argocd-" .. os.date("!%Y%m%dT%H%M%SZ")
return obj
