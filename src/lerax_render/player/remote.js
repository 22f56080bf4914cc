// A page that has this one in a frame: it is told where the playhead is, and may move it.

class Remote {
  constructor(clock) {
    Object.assign(this, { clock, follows: false });
    addEventListener("message", ({ source, data }) => {
      if (source === parent && source !== window && data?.lerax === "playhead") this.follow(data);
    });
  }

  tell() {
    if (parent === window || this.follows) return;
    const { position, secondsPerStep, playing } = this.clock;
    parent.postMessage({ lerax: "playhead", seconds: position * secondsPerStep, playing }, "*");
  }

  /** Go to a moment, and play on from there only where that is asked for. */
  follow({ seconds, play }) {
    const { clock } = this;
    if (play) {
      clock.play();
    } else if (Number.isFinite(seconds)) {
      this.follows = true;
      clock.playing = false;
      clock.seek(Math.floor(seconds / clock.secondsPerStep + 1e-6));
      this.follows = false;
    }
  }
}
