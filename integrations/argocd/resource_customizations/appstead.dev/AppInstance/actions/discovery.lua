-- What may be asked of an instance now: the operation matrix of crds/REFERENCE.md, in which a deployment is new work.

local is = {}
for _, condition in ipairs((obj.status or {}).conditions or {}) do
  is[condition.type] = condition.status == "True"
end

local hindrance
if obj.metadata.deletionTimestamp ~= nil then
  hindrance = "it is being deleted"
elseif is.OperationsBlocked then
  hindrance = "it is Errored: retry, or delete it"
elseif obj.spec.suspend then
  hindrance = "it is suspended"
end

local function action(name, without)
  if without == nil then
    return { disabled = false, displayName = name }
  end
  return { disabled = true, displayName = name .. " (" .. without .. ")" }
end

local actions = {
  deploy = action("Deploy", hindrance),
  restart = action("Restart", hindrance),
}
if is.OperationsBlocked then
  actions.retry = action("Retry")
else
  actions.retry = action("Retry", "only while it is Errored")
end
return actions
