// What the canvas asks of the server: one image with its picture, map and mask, and what to save of it.

import { getJson, request } from "../shared/net.js";
import { BinaryMask } from "./bitmap.js";
import { MapField } from "./map_field.js";
import { Picture } from "./picture.js";
import { decodeMaskPng, encodeMaskPng } from "./png.js";

// Everything needed to show an image: {image, picture, mask, field, map}; mapOf(image) says which map.
export async function loadRecord(id, mapOf) {
  return loadContent(await getJson(`/images/${id}?opened=true`), mapOf);
}

export async function loadContent(image, mapOf) {
  const map = mapOf(image);
  const [picture, mask, field] = await Promise.all([
    request(`/images/${image.id}/display`).then((response) => response.blob()).then(Picture.load),
    loadMask(image),
    loadField(image, map),
  ]);
  return { image, picture, mask, field, map };
}

export async function loadMask(image) {
  if (!image.annotation?.area) return new BinaryMask(image.width, image.height);
  const response = await request(`/images/${image.id}/mask`, { cache: "no-store" });
  return decodeMaskPng(await response.blob(), image.width, image.height);
}

const MAP_QUERY = { service: "", preview: "&preview=true", prompts: "&part=prompts", others: "&part=unlike_others" };

export async function loadField(image, map) {
  if (image.score === null) return null;
  const [response, counting] = await Promise.all([
    request(`/images/${image.id}/map?format=grid${MAP_QUERY[map]}`, { cache: "no-store" }),
    loadCounting(image),
  ]);
  const rows = Number(response.headers.get("X-Map-Height"));
  const columns = Number(response.headers.get("X-Map-Width"));
  const values = new Float32Array(await response.arrayBuffer());
  return new MapField(values, rows, columns, image.width, image.height, counting);
}

// Which pixels count, as a BinaryMask; null: all.
async function loadCounting(image) {
  if (image.region_of_interest !== "applied") return null;
  const response = await request(`/images/${image.id}/region_of_interest`, { cache: "no-store" });
  return decodeMaskPng(await response.blob(), image.width, image.height);
}

// Saves a mask (as PNG) or a decision (as JSON) if `revision` is still the newest; 0: nobody corrected it yet.
export async function putAnnotation(imageId, revision, decision) {
  const headers = { "If-Match": String(revision) };
  const options = { method: "PUT", headers };
  if (decision instanceof BinaryMask) {
    options.body = new FormData();
    options.body.append("mask", await encodeMaskPng(decision), "mask.png");
  } else {
    headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(decision);
  }
  return (await request(`/images/${imageId}/annotation`, options)).json();
}
