// A page that has this one in a frame: it is told where the playhead is and from where is looked, and
// may move both.

class Remote {
  constructor(clock, stages) {
    Object.assign(this, { clock, stages, follows: false });
    addEventListener("message", ({ source, data }) => {
      if (source !== parent || source === window) return;
      if (data?.lerax === "playhead") this.follow(data);
      if (data?.lerax === "view" && typeof data.view === "string") this.quietly(() => stages.setView(data.view));
    });
  }

  /** Say that the playhead has moved, or the view. */
  tell(what) {
    if (parent === window || this.follows) return;
    const { position, secondsPerStep, playing } = this.clock;
    const view = this.stages.likeness;
    parent.postMessage({ lerax: what, seconds: position * secondsPerStep, playing, view }, "*");
  }

  /** Go to a moment, and play on from there only where that is asked for. */
  follow({ seconds, play }) {
    const { clock } = this;
    if (play) {
      clock.play();
    } else if (Number.isFinite(seconds)) {
      this.quietly(() => {
        clock.playing = false;
        clock.seek(Math.floor(seconds / clock.secondsPerStep + 1e-6));
      });
    }
  }

  /** Do what is not to be told, since it was asked for. */
  quietly(act) {
    this.follows = true;
    act();
    this.follows = false;
  }
}
