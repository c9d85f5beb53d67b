// The image as the browser holds it, with halved copies, so that a large one is drawn quickly when zoomed out.

const SMALLEST_COPY = 1024;

export class Picture {
  static async load(blob) {
    const picture = new Picture();
    picture.copies = [await createImageBitmap(blob)];
    let { width, height } = picture.copies[0];
    while (Math.max(width, height) > SMALLEST_COPY) {
      width = Math.ceil(width / 2);
      height = Math.ceil(height / 2);
      const options = { resizeWidth: width, resizeHeight: height, resizeQuality: "medium" };
      picture.copies.push(await createImageBitmap(picture.copies.at(-1), options));
    }
    return picture;
  }

  // The smallest copy that still has a pixel for every device pixel.
  atScale(scale) {
    const halvings = Math.max(0, Math.floor(-Math.log2(scale)));
    return this.copies[Math.min(halvings, this.copies.length - 1)];
  }

  close() {
    for (const copy of this.copies) copy.close();
  }
}
