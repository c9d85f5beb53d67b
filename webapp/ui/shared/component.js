// Starts a component in the element that Gradio made for it: its template's texts first, then what its modules do.

import { translate } from "./texts.js";

// names: of modules beside this folder, as in "filmstrip/filmstrip"; each has a `mount(element, triggerEvent)`.
// events: what Gradio lets this component trigger.
export async function start(names, element, trigger, events) {
  translate(element);
  const triggerEvent = (event, data) => {
    if (!events.includes(event)) throw new Error(`This component may not trigger ${event}, only ${events.join(", ")}.`);
    trigger(event, data);
  };
  const modules = await Promise.all(names.map((name) => import(`../${name}.js`)));
  for (const { mount } of modules) mount(element, triggerEvent);
}
