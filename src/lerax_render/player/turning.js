// Mouse and fingers on a picture: one turns, two or another button move, wheel and pinch go nearer.

class Turning {
  /** `view` is turned; `changed` is called after it was, `followed` with where to look. */
  constructor(canvas, view, changed, followed) {
    Object.assign(this, { canvas, view, changed, followed });
    this.fingers = new Map();
    this.ends = new AbortController();
    canvas.style.touchAction = "none";
    const listen = (name, act, options = {}) => {
      canvas.addEventListener(name, (event) => act.call(this, event), { ...options, signal: this.ends.signal });
    };
    listen("pointerdown", this.press);
    listen("pointermove", this.move);
    for (const name of ["pointerup", "pointercancel"]) listen(name, (event) => this.fingers.delete(event.pointerId));
    listen("wheel", this.wheel, { passive: false });
    listen("dblclick", (event) => this.followed(event.offsetX, event.offsetY));
    listen("contextmenu", (event) => event.preventDefault());
  }

  press(event) {
    try {
      this.canvas.setPointerCapture(event.pointerId);
    } catch {
      // A pointer that is gone already cannot be captured, and moves nothing.
    }
    this.fingers.set(event.pointerId, [event.clientX, event.clientY]);
  }

  move(event) {
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    const after = [event.clientX, event.clientY];
    const height = this.canvas.clientHeight || 1;
    const [across, down] = [(after[0] - before[0]) / height, (after[1] - before[1]) / height];
    if (across === 0 && down === 0) return;
    const others = [...this.fingers].filter(([id]) => id !== event.pointerId);
    this.fingers.set(event.pointerId, after);
    if (others.length) {
      // Each of two fingers has half of the say.
      const [, other] = others[0];
      const apart = (place) => Math.hypot(place[0] - other[0], place[1] - other[1]) || 1;
      this.view.zoom(apart(before) / apart(after));
      this.view.pan(-across / 2, down / 2);
    } else if (event.buttons & 6 || event.shiftKey || event.ctrlKey || event.metaKey) {
      this.view.pan(-across, down);
    } else {
      this.view.orbit(-across * 180, -down * 180);
    }
    this.changed();
  }

  wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 33 : 1;
    const by = Math.max(-400, Math.min(400, event.deltaY * lines));
    this.view.zoom(Math.exp(by * 0.0015));
    this.changed();
  }

  end() {
    this.ends.abort();
  }
}
