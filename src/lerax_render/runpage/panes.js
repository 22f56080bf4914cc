// A recording that is played: its replay's player in a frame, or its clip.

class Pane {
  /** `onmove` is called when the playhead has moved, or is there; `onturn` when the view was turned. */
  constructor(box, onmove, onturn) {
    Object.assign(this, { box, onmove, onturn, view: "", holder: $(".frame", box), follows: false });
    this.runs = $(".run-of", box);
    this.moments = $(".moment-of", box);
    this.runs.addEventListener("change", () => {
      const run = view.runs[this.runs.value];
      this.show(run, run.momentAt(this.recording.step));
    });
    this.moments.addEventListener("change", () => this.show(this.run, this.run.recordings[this.moments.value]));
  }

  show(run, recording) {
    Object.assign(this, { run, recording, begun: false, view: "" });
    const able = view.runs.filter((each) => each.recordings.length);
    this.runs.replaceChildren(...able.map((each) => new Option(shortName(each), view.runs.indexOf(each))));
    this.runs.value = view.runs.indexOf(run);
    this.runs.hidden = able.length < 2;
    this.moments.replaceChildren(...run.recordings.map((each, number) => new Option(saidOf(each), number)));
    this.moments.value = run.recordings.findIndex((each) => each.step === recording.step);
    this.holder.replaceChildren(this.media());
  }

  media() {
    const { run, recording } = this;
    const path = (name) => recording[name] && address(run.base + recording[name]);
    const title = `${run.name}, ${saidOf(recording)}`;
    if (path("player")) {
      const frame = element("iframe", { title, allow: "fullscreen" });
      // It is a page of its own, which has nothing to do with this one but the playhead.
      frame.sandbox = "allow-scripts allow-downloads";
      if (given.files) frame.srcdoc = path("player");
      else frame.src = path("player");
      return frame;
    }
    if (path("video")) return this.video(path("video"), title);
    const still = element("img", { alt: title, src: path("still") || "" });
    return still;
  }

  video(src, title) {
    const video = element("video", { src, controls: true, playsInline: true, muted: true, ariaLabel: title });
    const tell = () => {
      if (!this.follows) this.onmove(this, { seconds: video.currentTime, playing: !video.paused });
      if (!video.paused) requestAnimationFrame(tell);
    };
    video.addEventListener("loadeddata", () => this.begin());
    for (const name of ["play", "pause", "seeking"]) video.addEventListener(name, tell);
    return video;
  }

  /** Take what a frame's player says, if it is this one's. */
  hear(event) {
    const frame = $("iframe", this.holder);
    if (!frame || event.source !== frame.contentWindow) return;
    const { lerax, view } = event.data;
    if (typeof view === "string") this.view = view;
    if (lerax === "view") {
      if (this.begun) this.onturn(this);
    } else if (this.begun) {
      this.onmove(this, event.data);
    } else {
      this.begin();
    }
  }

  /** Look from where another one does. */
  look(view) {
    this.view = view;
    $("iframe", this.holder)?.contentWindow.postMessage({ lerax: "view", view }, "*");
  }

  begin() {
    this.begun = true;
    this.onmove(this, null);
  }

  play() {
    $("iframe", this.holder)?.contentWindow.postMessage({ lerax: "playhead", play: true }, "*");
    $("video", this.holder)?.play().catch(() => {});
  }

  follow(seconds) {
    $("iframe", this.holder)?.contentWindow.postMessage({ lerax: "playhead", seconds }, "*");
    const video = $("video", this.holder);
    if (!video) return;
    this.follows = true;
    video.pause();
    video.currentTime = Math.min(seconds, video.duration || 0);
    setTimeout(() => (this.follows = false), 100);
  }

  close() {
    this.holder.replaceChildren();
  }
}
