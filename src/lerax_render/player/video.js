// A stage of a replay that is pixels only: the frames of a video.

class VideoStage {
  cameras = [];
  view = "";
  toggles = [];
  onchange = () => {};
  onlost = () => {};

  constructor(canvas, scene, bytes) {
    this.canvas = canvas;
    this.bytes = bytes;
    this.pen = canvas.getContext("2d", { alpha: false });
  }

  addLane({ fps, content }) {
    this.fps = fps;
    this.video = element("video", { muted: true, preload: "auto" });
    const file = new Blob([arrayIn(this.bytes, content)], { type: "video/mp4" });
    this.address = URL.createObjectURL(file);
    this.loaded = new Promise((resolve) => {
      this.video.addEventListener("loadeddata", resolve, { once: true });
      this.video.addEventListener("error", () => {
        resolve();
        this.onlost("this browser cannot play its video");
      });
    });
    this.video.src = this.address;
  }

  resize(width, height, pixelRatio) {
    this.canvas.width = Math.max(1, Math.round(width * pixelRatio));
    this.canvas.height = Math.max(1, Math.round(height * pixelRatio));
    this.paint();
  }

  /** Show a step; one that is asked for while another is looked for comes next. */
  draw(step) {
    this.wanted = step;
    this.seeking ??= this.seek().finally(() => {
      this.seeking = undefined;
    });
    return this.seeking;
  }

  async seek() {
    await this.loaded;
    while (this.shown !== this.wanted && !this.video.error) {
      const step = this.wanted;
      const found = this.found(step);
      // The middle of the frame, since its ends are rounded.
      this.video.currentTime = (step + 0.5) / this.fps;
      await found;
      this.shown = step;
      this.paint();
    }
  }

  /** Wait until a step's frame is there to be painted, which may be later than "seeked" says. */
  found(step) {
    const { video, fps } = this;
    let waits = true;
    return new Promise((resolve) => {
      video.addEventListener("error", resolve, { once: true });
      // Of a frame that is there already, nothing more is told.
      const patience = video.requestVideoFrameCallback ? 250 : 0;
      video.addEventListener("seeked", () => setTimeout(resolve, patience), { once: true });
      const presented = (_, { mediaTime }) => {
        if (Math.round(mediaTime * fps) === step) resolve();
        else if (waits) video.requestVideoFrameCallback(presented);
      };
      video.requestVideoFrameCallback?.(presented);
    }).finally(() => {
      waits = false;
    });
  }

  paint() {
    if (this.shown === undefined) return;
    this.pen.imageSmoothingQuality = "high";
    this.pen.drawImage(this.video, 0, 0, this.canvas.width, this.canvas.height);
  }

  setView() {}
  setToggle() {}
  reset() {}

  dispose() {
    this.video.removeAttribute("src");
    URL.revokeObjectURL(this.address);
  }

  snapshot() {
    return new Promise((resolve) => this.canvas.toBlob(resolve, "image/png"));
  }
}
