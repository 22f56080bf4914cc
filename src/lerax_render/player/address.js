// The page's address: which moment it shows, and from where.

const WRITE_MS = 400;

class Address {
  constructor(write) {
    this.contents = write;
    this.possible = true;
  }

  /** What the address says, as text; what it does not say is null. */
  read() {
    const said = new URLSearchParams(location.hash.slice(1));
    return Object.fromEntries(["step", "camera", "ui", "ghosts"].map((name) => [name, said.get(name)]));
  }

  /** Write soon what is shown, since browsers refuse addresses that change all the time. */
  write() {
    if (!this.possible) return;
    this.later ??= setTimeout(() => {
      this.later = undefined;
      const said = Object.entries(this.contents()).filter(([, value]) => value !== null);
      const text = said.map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll("%2C", ",")}`);
      try {
        history.replaceState(null, "", `#${text.join("&")}`);
      } catch {
        // In a notebook's frame, the page has no address of its own.
        this.possible = false;
      }
    }, WRITE_MS);
  }
}
