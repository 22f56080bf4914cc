// Texts of a 2D replay, as pictures of letters.

/** The size of pygame's own font at a height in pixels, which are whole points. */
const fontPoints = (height) => Math.max(1, Math.floor(height * 0.6875));

/** Pictures of letters, which are the same in all browsers. */
class Letters {
  constructor({ height, origins, places, widths, tall, opacity: { shape } }, opacity) {
    Object.assign(this, { height, origins, places, widths, tall, coloured: new Map() });
    this.sheet = new OffscreenCanvas(shape[1], shape[0]);
    const pixels = new ImageData(shape[1], shape[0]);
    for (let i = 0; i < opacity.length; i++) pixels.data[4 * i + 3] = opacity[i];
    this.sheet.getContext("2d").putImageData(pixels, 0, 0);
  }

  /** Write a text of some height with its upper left corner at a place, all in pixels. */
  write(pen, text, x, y, height, colour) {
    const spread = fontPoints(height) / fontPoints(text.height);
    const scale = fontPoints(height) / fontPoints(this.height);
    const sheet = this.inColour(`rgb(${colour})`);
    pen.imageSmoothingQuality = "high";
    for (const [letter, left, line] of text.letters) {
      const width = this.widths[letter];
      const [originX, originY] = this.origins[letter];
      const [sheetX, sheetY] = this.places[letter];
      pen.drawImage(
        sheet, sheetX, sheetY, width, this.tall,
        x + left * spread - originX * scale, y + line * spread - originY * scale,
        width * scale, this.tall * scale,
      );
    }
  }

  inColour(colour) {
    if (!this.coloured.has(colour)) {
      if (this.coloured.size > 64) this.coloured.clear();
      const sheet = new OffscreenCanvas(this.sheet.width, this.sheet.height);
      const pen = sheet.getContext("2d");
      pen.drawImage(this.sheet, 0, 0);
      pen.globalCompositeOperation = "source-in";
      pen.fillStyle = colour;
      pen.fillRect(0, 0, sheet.width, sheet.height);
      this.coloured.set(colour, sheet);
    }
    return this.coloured.get(colour);
  }
}
