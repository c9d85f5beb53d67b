// What is asked of the server about the regions of interest of the project that the page shows.

import { API, currentProject, getJson, request } from "../shared/net.js";

export async function projectId() {
  const projects = await getJson("/projects");
  return projects.find((one) => one.name === currentProject()).id;
}

export const listRegions = (id) => getJson(`/projects/${id}/regions_of_interest`);

// Where the mask of a region is; another mask has another address, as browsers keep pictures.
export function maskUrl(id, { station, created_at: made, area }) {
  return `${API}/projects/${id}/region_of_interest?station=${encodeURIComponent(station)}&of=${encodeURIComponent(made)}-${area}`;
}

// marks: `interest` or `ignore`, what a mask's white pixels are; station: "" for all that have no region of their own.
export async function useRegion(id, { mask, marks, station = "" }) {
  const body = new FormData();
  body.append("mask", mask, "mask.png");
  body.append("marks", marks);
  body.append("station", station);
  return (await request(`/projects/${id}/region_of_interest`, { method: "PUT", body })).json();
}

export function removeRegion(id, station) {
  return request(`/projects/${id}/region_of_interest?station=${encodeURIComponent(station)}`, { method: "DELETE" });
}
