// Messages between the components of the page. They know each other only by these names:
//   open-image {id}       show this image in Inspect
//   image-opened {image}  Inspect shows it now
//   image-changed {image} its score, verdict or annotation changed
//   images-added {ids}    new images are in the database
//   step {by}             go to the next (+1) or previous (−1) image of the filmstrip
//   open-queue {}         Inspect goes through what to correct next, from its first image
//   coming-images {ids}   what → and ← would open, the likelier one first
//   pick-files {}         open the file picker
//   images-changed {}     some images were decided on or deleted in the library
//   upload-progress {text} how far the upload is, in words
//   show-threshold {open} show or hide the threshold
//   threshold-changed {}  another threshold is in use
//   add-samples {}        add the three sample images
//   kinds-changed {}      the defect book is another one
//   projects-changed {}   a project was made, renamed, archived or restored
//   regions-changed {}    another region of interest is in use

export const bus = {
  emit(name, detail = {}) {
    window.dispatchEvent(new CustomEvent(`anomalyloop:${name}`, { detail }));
  },
  on(name, listener) {
    window.addEventListener(`anomalyloop:${name}`, (event) => listener(event.detail));
  },
};

export function openTab(name) {
  document.getElementById(`tab-${name}-button`)?.click();
}
