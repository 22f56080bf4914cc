// A stage of a 2D replay: draw commands on a canvas, by the rules of paint2d's placement.

/** Round to a fraction of a pixel, at boundaries as paint2d's `snap` does. */
const snapped = (position, parts = 4) => Math.floor(position * parts + 0.5 + 1 / 64) / parts;

// Lines of less pixels of width are drawn as one thin line.
const THINNEST_AREA = 1.25;

class DrawnStage {
  cameras = [];
  view = "";
  toggles = [];
  onchange = () => {};
  onlost = () => {};

  constructor(canvas, scene, bytes) {
    this.canvas = canvas;
    this.scene = scene;
    this.bytes = bytes;
    this.pen = canvas.getContext("2d", { alpha: false });
    if (!this.pen) throw new Error("this browser has no canvas");
  }

  addLane(lane) {
    this.layouts = lane.layouts.map((layout) => new Commands(layout, this.bytes));
    this.texts = lane.texts;
    this.letters = lane.letters && new Letters(lane.letters, arrayIn(this.bytes, lane.letters.opacity));
    this.layoutOf = arrayIn(this.bytes, lane.layoutOf);
    // Which row of its layout's numbers a step has, and with which step its picture begins.
    const counts = this.layouts.map(() => 0);
    this.rows = this.layoutOf.map((layout) => counts[layout]++);
    let begun = 0;
    this.begins = this.layoutOf.map((layout, step) => {
      if (this.layouts[layout].cleared) begun = step;
      return begun;
    });
  }

  resize(width, height, pixelRatio) {
    this.canvas.width = Math.max(1, Math.round(width * pixelRatio));
    this.canvas.height = Math.max(1, Math.round(height * pixelRatio));
    this.drawn = this.backdrop = undefined;
    this.fit();
  }

  /** The layout at the canvas's size, as `Layout.fitted` has it. */
  fit() {
    const { width, height, clip, corner } = this.scene;
    const zoom = Math.min(this.canvas.width / width, this.canvas.height / height);
    const left = Math.floor((this.canvas.width - Math.round(width * zoom)) / 2);
    const top = Math.floor((this.canvas.height - Math.round(height * zoom)) / 2);
    const [x, y, w, h] = clip;
    const [clipLeft, clipRight] = [x, x + w].map((edge) => left + Math.round(edge * zoom));
    const [clipTop, clipBottom] = [y, y + h].map((edge) => top + Math.round(edge * zoom));
    this.clip = [clipLeft, clipTop, Math.max(1, clipRight - clipLeft), Math.max(1, clipBottom - clipTop)];
    this.zoom = this.scene.zoom * zoom;
    this.corner = [left + corner[0] * zoom, top + corner[1] * zoom];
  }

  draw(step) {
    step = Math.min(step, this.layoutOf.length - 1);
    const begins = this.begins[step];
    // Where nothing is cleared, what is drawn already stays.
    const goesOn = this.drawn >= begins && this.drawn < step;
    for (let each = goesOn ? this.drawn + 1 : begins; each <= step; each++) this.drawStep(each, each === 0);
    this.drawn = step;
  }

  drawStep(step, first) {
    const { pen } = this;
    const layout = this.layouts[this.layoutOf[step]];
    const row = this.rows[step];
    if (!layout.still) {
      pen.save();
      if (layout.cleared || first) this.wash(this.scene.background);
      this.drawCommands(layout, row, 0, layout.count);
      pen.restore();
      return;
    }
    if (this.backdrop?.layout !== layout) this.backdrop = { layout, sheet: this.stillOf(layout) };
    pen.drawImage(this.backdrop.sheet, 0, 0);
    pen.save();
    this.drawCommands(layout, row, layout.still, layout.count);
    pen.restore();
  }

  /** A picture of the commands with which all steps of a layout begin. */
  stillOf(layout) {
    const { pen, canvas } = this;
    const sheet = new OffscreenCanvas(canvas.width, canvas.height);
    this.pen = sheet.getContext("2d", { alpha: false });
    this.pen.save();
    this.wash(this.scene.background);
    this.drawCommands(layout, 0, 0, layout.still);
    this.pen = pen;
    return sheet;
  }

  /** Draw some of a layout's commands, with the numbers of one of its steps. */
  drawCommands(layout, row, from, stop) {
    this.clipped();
    this.see(this.scene.view, this.scene.yUp);
    const numbers = layout.numbersOf(row);
    let [at, place, text] = [0, 0, row * layout.numTexts];
    for (const [kind, points, count] of layout.commands) {
      const size = numNumbers(kind, points);
      for (let i = 0; i < count; i++, place++, at += size) {
        if (place >= stop) return;
        const said = kind === "text" ? this.texts[layout.texts[text++]] : null;
        // Transforms are needed even where what they were for is drawn already.
        if (place >= from || isView(kind)) this.drawCommand(kind, numbers.subarray(at, at + size), points, said);
      }
    }
  }

  drawCommand(kind, numbers, count, said) {
    if (isView(kind)) {
      this.see(numbers, kind === "y_up");
      return;
    }
    if (!this.finite || !numbers.every(Number.isFinite)) return;
    const colour = [...numbers.subarray(-3)].map((part) =>
      Math.floor(Math.min(Math.max(part, 0), 1) * 255 + 1 / 256),
    );
    if (kind === "clear") {
      this.wash(colour);
      return;
    }
    const places = [];
    for (let i = 0; i < count; i++) {
      places.push([
        numbers[2 * i] * this.scale + this.origin[0],
        numbers[2 * i + 1] * (this.yUp ? -this.scale : this.scale) + this.origin[1],
      ]);
    }
    const sizes = numbers.subarray(2 * count, -3);
    this.pen.fillStyle = this.pen.strokeStyle = `rgb(${colour})`;
    this[kind](places, kind === "text" ? sizes : sizes.map((size) => size * this.scale), said, colour);
  }

  /** Put a transform in force: offset, scale and height. */
  see([x, y, scale, height], yUp) {
    this.finite = [x, y, scale, height].every(Number.isFinite);
    this.yUp = yUp;
    this.scale = scale * this.zoom;
    this.origin = [x * this.zoom + this.corner[0], (yUp ? height - y : y) * this.zoom + this.corner[1]];
  }

  /** Fill the whole picture, what is outside of the clip rectangle included. */
  wash(colour) {
    const { pen, canvas } = this;
    pen.restore();
    pen.fillStyle = `rgb(${colour})`;
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.save();
    this.clipped();
  }

  clipped() {
    this.pen.beginPath();
    this.pen.rect(...this.clip);
    this.pen.clip();
  }

  // One method for each kind of command; positions and sizes are in pixels.

  circle([center], [radius]) {
    this.oval(center, radius, radius);
  }

  ellipse([center], [width, height]) {
    this.oval(center, width / 2, height / 2);
  }

  oval([x, y], halfWidth, halfHeight) {
    if (!(halfWidth > 0 && halfHeight > 0)) return;
    // Below half a pixel, an ellipse would fade away.
    const [a, b] = [halfWidth, halfHeight].map((half) => Math.max(snapped(half), 0.5));
    this.pen.beginPath();
    this.pen.ellipse(snapped(x), snapped(y), a, b, 0, 0, 2 * Math.PI);
    this.pen.fill();
  }

  rect([[x, y]], [width, height]) {
    if (!(width > 0 && height > 0)) return;
    // The sides are rounded, not the size: what touches in the world touches in the picture.
    const [left, top] = [snapped(x - width / 2, 1), snapped(y - height / 2, 1)];
    const right = Math.max(snapped(x + width / 2, 1), left + 1);
    const bottom = Math.max(snapped(y + height / 2, 1), top + 1);
    this.pen.fillRect(left, top, right - left, bottom - top);
  }

  line([start, end], [width]) {
    const along = [end[0] - start[0], end[1] - start[1]];
    const length = Math.hypot(...along);
    if (!(length > 0 && width > 0)) return;
    if (width < THINNEST_AREA) {
      this.thin([start, end]);
      return;
    }
    const across = [(-along[1] / length) * (width / 2), (along[0] / length) * (width / 2)];
    this.polygon([
      [start[0] + across[0], start[1] + across[1]],
      [start[0] - across[0], start[1] - across[1]],
      [end[0] - across[0], end[1] - across[1]],
      [end[0] + across[0], end[1] + across[1]],
    ]);
  }

  polygon(corners) {
    this.pen.beginPath();
    for (const [x, y] of corners) this.pen.lineTo(snapped(x), snapped(y));
    this.pen.fill("evenodd");
  }

  polyline(points) {
    if (this.zoom < THINNEST_AREA) {
      this.thin(points);
      return;
    }
    const { pen } = this;
    pen.beginPath();
    for (const [x, y] of centered(points)) pen.lineTo(x, y);
    pen.lineWidth = this.zoom;
    pen.lineJoin = "miter";
    pen.stroke();
  }

  /** Lines as pygame's: one pixel high or, where they are steep, one pixel wide. */
  thin(points) {
    const places = centered(points);
    this.pen.beginPath();
    for (let i = 1; i < places.length; i++) {
      const flat = Math.abs(places[i][0] - places[i - 1][0]) >= Math.abs(places[i][1] - places[i - 1][1]);
      const along = flat ? 0 : 1;
      // All in one direction, or what overlaps would cancel out.
      const [a, b] = [places[i - 1], places[i]].sort((one, other) => one[along] - other[along]);
      const corners = flat
        ? [[a[0], a[1] - 0.5], [b[0], b[1] - 0.5], [b[0], b[1] + 0.5], [a[0], a[1] + 0.5]]
        : [[a[0] - 0.5, a[1]], [a[0] + 0.5, a[1]], [b[0] + 0.5, b[1]], [b[0] - 0.5, b[1]]];
      this.pen.moveTo(...corners[0]);
      for (const corner of corners.slice(1)) this.pen.lineTo(...corner);
      this.pen.closePath();
    }
    this.pen.fill();
  }

  text([[x, y]], [size], letters, colour) {
    const height = snapped(Math.floor(size + 1 / 256) * this.zoom, 1);
    if (height < 1) return;
    this.letters.write(this.pen, letters, Math.floor(snapped(x)), Math.floor(snapped(y)), height, colour);
  }

  setView() {}
  setToggle() {}
  reset() {}
  dispose() {}

  snapshot() {
    return new Promise((resolve) => this.canvas.toBlob(resolve, "image/png"));
  }
}

/** Points of thin lines: level and upright ones go through the middle of pixels. */
function centered(points) {
  return points.map((point, i) =>
    point.map((position, axis) => {
      const straight = [points[i - 1], points[i + 1]].some(
        (other) => other && Math.abs(other[axis] - position) < 1e-3,
      );
      return straight ? Math.floor(snapped(position)) + 0.5 : snapped(position);
    }),
  );
}
