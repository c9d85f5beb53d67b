// The filters as parameters of GET /images; days are days of the viewer's own zone.

import { currentProject, getJson } from "../shared/net.js";

export function filterParameters(form) {
  const given = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value));
  const { added_from, added_until, ...others } = given;
  if (added_from) others.added_from = startOfDay(added_from, 0);
  if (added_until) others.added_before = startOfDay(added_until, 1);
  return others;
}

function startOfDay(day, later) {
  const [year, month, date] = day.split("-").map(Number);
  return new Date(year, month - 1, date + later).toISOString();
}

// One person alone (everybody is "local" without accounts) is nothing to choose from.
export async function offerPeople(select) {
  const people = await getJson(`/images/people?${new URLSearchParams({ project: currentProject() })}`);
  const chosen = select.value;
  select.replaceChildren(select.options[0], ...people.map((name) => new Option(name)));
  select.value = people.includes(chosen) ? chosen : "";
  select.closest("label").hidden = people.length < 2 && !select.value;
}
