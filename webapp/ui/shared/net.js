// Requests to the project's own REST interface, with its problem documents (RFC 9457) as errors for people.

import { t } from "./texts.js";

export const API = "/api/v1";

// The page's address names the project that it shows: /?project=NAME, or none for the default one.
export const DEFAULT_PROJECT = "default";
export const currentProject = () => new URLSearchParams(location.search).get("project") || DEFAULT_PROJECT;

export function openProject(name) {
  location.assign(name === DEFAULT_PROJECT ? "/" : `/?project=${encodeURIComponent(name)}`);
}

export class Problem extends Error {
  // kind: the end of the problem's type, such as map-changed; empty where the server said none.
  constructor(status, title, detail, kind = "") {
    super(detail || title);
    this.kind = kind;
    this.status = status;
    this.title = title;
    this.detail = detail;
  }
}

async function problemOf(response) {
  const text = await response.text();
  try {
    const body = JSON.parse(text);
    return new Problem(response.status, body.title || response.statusText, body.detail || body.title || text, (body.type || "").split(":").pop());
  } catch {
    return new Problem(response.status, response.statusText, text || t("server.status", { status: response.status }));
  }
}

// Like fetch below /api/v1, but throws a Problem for everything that is not a 2xx answer.
export async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(API + path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, t("server.silent.title"), t("server.silent"));
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

// What is asked for again and again costs an empty 304 where nothing changed (see webapp/api/caching.py): the browser
// keeps the last answer of an address and its tag, asks with that, and gives the answer that it kept.
export async function getJson(path, options) {
  return (await request(path, options)).json();
}
