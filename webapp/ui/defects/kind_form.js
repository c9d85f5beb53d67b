// The form of a kind of defect, new or there already.

import { formDialog, sentJson } from "../shared/dialog.js";
import { node } from "../shared/dom.js";
import { currentProject, request } from "../shared/net.js";
import { t } from "../shared/texts.js";

// As the server has them (db/defects/kinds.py): keys that mean nothing else in Inspect.
const KEYS = "23456790cijlqtuvwy";

// kind: null for a new one; taken: keys of all other kinds; done: called when it is kept.
export function kindForm(kind, taken, done) {
  const name = node("input", { class: "al-input", name: "name", maxlength: 100, required: true, autocomplete: "off", value: kind?.name, "data-testid": "kind-name" });
  const colour = kind && node("input", { type: "color", name: "colour", value: kind.colour, "data-testid": "kind-colour" });
  const keys = [...KEYS].filter((key) => !taken.includes(key));
  const key = node("select", { class: "al-select", name: "key", "data-testid": "kind-key" }, node("option", { value: "" }, t("defects.key.none")), ...keys.map((one) => node("option", { value: one, selected: one === kind?.key }, one.toUpperCase())));
  const about = node("textarea", { class: "al-input al-note", name: "description", rows: 3, maxlength: 2000, "data-testid": "kind-description" });
  about.value = kind?.description ?? "";
  const examples = node("input", { class: "al-input", name: "examples", pattern: "[0-9, ]*", autocomplete: "off", value: (kind?.example_ids ?? []).join(", "), "data-testid": "kind-examples" });
  const pair = node("div", { class: "al-kind-pair" }, ...(colour ? [labelled("defects.colour", colour)] : []), labelled("defects.key", key));
  const fields = node("div", { class: "al-kind-form" }, labelled("defects.name", name), pair, labelled("defects.description", about), labelled("defects.examples", examples));
  formDialog({
    title: kind ? t("defects.change", { name: kind.name }) : t("defects.new"),
    testid: "kind",
    saveId: "kind-save",
    save: t("save"),
    parts: [fields],
    send: async () => {
      const values = { name: name.value, key: key.value || null, description: about.value, example_ids: examples.value.split(/[ ,]+/).filter(Boolean).map(Number) };
      if (colour) values.colour = colour.value;
      if (kind) await request(`/defects/${kind.id}`, sentJson("PATCH", values));
      else await request("/defects", sentJson("POST", { project: currentProject(), ...values }));
      done();
    },
  });
  name.focus();
}

function labelled(words, field) {
  return node("label", {}, t(words), field);
}
