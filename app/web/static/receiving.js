// Who collects: the agent's fields show only when an agent stands there, and the pad takes a signature.

const agent = document.querySelector("[data-agent]");
if (agent) {
  const follow = () => {
    const on = document.querySelector("[name=who][value=agent]").checked;
    agent.hidden = !on;
    const letter = agent.querySelector("[name=agent_letter]");
    letter.required = on;
    letter.labels[0].querySelector(".h-hint").hidden = on; // （选填）
  };
  for (const choice of document.querySelectorAll("[name=who]")) choice.addEventListener("change", follow);
  follow();
}

// The signature pad: drawn at the screen's own resolution, sent as a small PNG. Without it the paper is signed by hand.
// What was refused comes back with its picture in the field: it is shown again, and sent as it is unless drawn upon.

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
    field.value = "";
  };
  const show = (drawn) => {
    field.value = drawn;
    const picture = new Image();
    picture.addEventListener("load", () => field.value === drawn && pen.drawImage(picture, 0, 0));
    picture.addEventListener("error", clear);
    picture.src = drawn;
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
  sign.closest("form").addEventListener("submit", () => {
    if (signed) field.value = canvas.toDataURL("image/png");
  });
  const drawn = field.value;
  clear();
  if (drawn) show(drawn);
}
