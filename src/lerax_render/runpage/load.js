// Where data come from. A page on a disk may read no other files than scripts, pictures and pages:
// data are scripts that call `received` with a text of JSON. In a page of one file they are in it.

const given = JSON.parse($("#given").textContent);
const arriving = new WeakMap();

function received(text) {
  arriving.get(document.currentScript)?.(text);
}

/** The address of a file beside the page, whatever characters its name has. */
function address(path) {
  if (given.files) return given.files[path] ?? "";
  return path.split("/").map(encodeURIComponent).join("/");
}

/** The data in a file as they are now. */
function load(path) {
  if (given.files) {
    return path in given.files ? Promise.resolve(JSON.parse(given.files[path])) : Promise.reject(new Error(path));
  }
  return new Promise((resolve, reject) => {
    const script = element("script", { src: `${address(path)}?${Date.now()}` });
    // A script that is torn, such as one that is still being copied, loads and hands nothing over.
    for (const end of ["load", "error"]) {
      script.addEventListener(end, () => {
        script.remove();
        reject(new Error(path));
      });
    }
    arriving.set(script, (text) => resolve(JSON.parse(text)));
    document.head.append(script);
  });
}
