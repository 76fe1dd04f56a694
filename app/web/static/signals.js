// The list of signals: fetched again when something changes, unless somebody is about to press there.
import { connect, redraw } from "./live.js";

const place = document.getElementById("signals");
const GAP_MS = 3000;

let timer = null;
function soon() {
  timer ??= setTimeout(() => {
    timer = null;
    if (!place.contains(document.activeElement)) redraw(place.dataset.address, place);
  }, GAP_MS);
}
connect("/staff", place.dataset.hall ? { hall: place.dataset.hall } : {}, { changed: soon }, { again: soon, every: 60 });
