// The signature pad: drawn at the screen's own resolution, sent as a small PNG. Without it the paper is signed by hand.

const sign = document.querySelector("[data-sign]");
if (sign) {
  const canvas = sign.querySelector("canvas");
  const field = sign.querySelector("[name=signature]");
  const pen = canvas.getContext("2d");
  let drawing = false;
  let signed = false;
  sign.hidden = false;

  const clear = () => {
    canvas.width = Math.min(canvas.clientWidth, 600);
    canvas.height = 160;
    pen.lineWidth = 2.5;
    pen.lineCap = pen.lineJoin = "round";
    pen.strokeStyle = "#111";
    signed = false;
  };
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) * canvas.width) / box.width, ((event.clientY - box.top) * canvas.height) / box.height];
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pen.beginPath();
    pen.moveTo(...place(event));
    drawing = true;
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!drawing) return;
    pen.lineTo(...place(event));
    pen.stroke();
    signed = true;
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (drawing = false));
  sign.querySelector("[data-sign-clear]").addEventListener("click", clear);
  sign.closest("form").addEventListener("submit", () => (field.value = signed ? canvas.toDataURL("image/png") : ""));
  clear();
}
