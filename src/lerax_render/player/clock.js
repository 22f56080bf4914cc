// What is known of each lane's steps, and the playhead that goes through them.

// Where an environment's steps have no length, as in clips.
const DEFAULT_SECONDS = 1 / 50;

/** A replay beside others: its steps by the playhead, and what was earned until each of them. */
class Lane {
  constructor(described, bytes, secondsPerStep) {
    Object.assign(this, described);
    // Lanes whose steps have other lengths are at the same time, not at the same step.
    this.stride = secondsPerStep / (this.secondsPerStep ?? secondsPerStep);
    this.starts = new Set(this.episodeStarts ?? []);
    this.ends = new Set([...(this.terminated ?? []), ...(this.truncated ?? [])]);
    if (!this.rewards) return;
    this.rewards = arrayIn(bytes, this.rewards);
    this.returns = new Float64Array(this.steps);
    this.episodes = new Uint32Array(this.steps);
    for (let step = 0; step < this.steps; step++) {
      const begins = step === 0 || this.starts.has(step);
      this.returns[step] = (begins ? 0 : this.returns[step - 1]) + this.rewards[step];
      this.episodes[step] = step === 0 ? 1 : this.episodes[step - 1] + begins;
    }
  }

  /** The lane's own step where the playhead is at a step. */
  at(step) {
    return Math.min(Math.floor(step * this.stride + 1e-6), this.steps - 1);
  }

  /** How many steps of the playhead it takes. */
  get length() {
    return Math.ceil(this.steps / this.stride);
  }
}

/** The playhead: a step, which moves in real time while it plays. */
class Clock {
  speed = 1;
  loops = false;
  playing = false;
  onmove = () => {};

  constructor(steps, secondsPerStep) {
    this.steps = steps;
    this.secondsPerStep = secondsPerStep;
    this.position = 0;
  }

  get step() {
    return Math.min(Math.floor(this.position + 1e-6), this.steps - 1);
  }

  seek(step) {
    this.position = Math.min(Math.max(Math.round(step), 0), this.steps - 1);
    this.onmove();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  play() {
    if (this.steps < 2) return;
    if (this.step >= this.steps - 1) this.position = 0;
    this.playing = true;
    let before = performance.now();
    const tick = (now) => {
      // If it is told to play while it plays, it does not go faster.
      if (!this.playing || tick !== this.tick) return;
      // After a pause of the browser's own, go on from where it was.
      this.advance(Math.min(Math.max(now - before, 0), 500) / 1000);
      before = now;
      this.onmove();
      requestAnimationFrame(tick);
    };
    this.tick = tick;
    requestAnimationFrame(tick);
    this.onmove();
  }

  advance(seconds) {
    this.position += (seconds * this.speed) / this.secondsPerStep;
    if (this.position < this.steps) return;
    if (this.loops) {
      this.position %= this.steps;
    } else {
      this.position = this.steps - 1;
      this.playing = false;
    }
  }

  pause() {
    this.playing = false;
    this.position = this.step;
    this.onmove();
  }
}
