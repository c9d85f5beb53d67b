// Messages between the components of the page. They know each other only by these names:
//   open-image {id}       show this image in Inspect
//   image-opened {image}  Inspect shows it now
//   image-changed {image} its score, verdict or annotation changed
//   images-added {ids}    new images are in the database
//   step {by}             go to the next (+1) or previous (−1) image of the filmstrip
//   coming-images {ids}   what → and ← would open, the likelier one first
//   pick-files {}         open the file picker
//   add-samples {}        add the three sample images

const bus = {
  emit(name, detail = {}) {
    window.dispatchEvent(new CustomEvent(`anomalyloop:${name}`, { detail }));
  },
  on(name, listener) {
    window.addEventListener(`anomalyloop:${name}`, (event) => listener(event.detail));
  },
};

function openTab(name) {
  document.getElementById(`tab-${name}-button`)?.click();
}
