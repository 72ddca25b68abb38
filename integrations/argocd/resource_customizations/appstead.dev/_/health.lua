-- Health of every kind of Appstead, read from its conditions and never from its phase, which is for people.
-- Argo CD asks only of objects that are not being deleted; those are Progressing, whatever stands here.

-- AppEnv and AppStackRevision have no status while there is nothing to say.
if obj.status == nil or (obj.status.conditions == nil and obj.status.observedGeneration == nil) then
  return { status = "Healthy" }
end

local conditions = {}
for _, condition in ipairs(obj.status.conditions or {}) do
  conditions[condition.type] = condition
end

local function is(type)
  return conditions[type] ~= nil and conditions[type].status == "True"
end

local summary = conditions.Ready or conditions.Succeeded

if summary == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "Generation " .. obj.metadata.generation .. " waits for the operator." }
end

-- Stalled: nothing goes on until someone changes something. Only then is it Degraded, which fails a sync at once.
if is("Stalled") or (conditions.Succeeded ~= nil and summary.status == "False" and summary.reason ~= "Superseded") then
  return { status = "Degraded", message = summary.message }
end
if is("Suspended") then
  return { status = "Suspended", message = summary.message }
end
if summary.status == "True" or summary.reason == "Superseded" then
  return { status = "Healthy", message = is("ChangesPending") and conditions.ChangesPending.message or summary.message }
end
return { status = "Progressing", message = summary.message }
