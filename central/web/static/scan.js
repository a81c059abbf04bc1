// Puts what the camera sees into the label's field and sends the form. Without this file, or where the browser has no
// BarcodeDetector, the field is filled by typing or by a scanner that types. Nothing leaves the phone but the form.

const FORMATS = ["data_matrix", "qr_code", "code_128", "ean_13", "ean_8", "itf"];
const LOOK_MS = 150;

const form = document.getElementById("scan");
const code = document.getElementById("code");
const row = document.getElementById("camera-row");
const view = document.getElementById("view");

async function look(detector, stream) {
  if (view.hidden) return;
  const found = await detector.detect(view).catch(() => []);
  if (found.length === 0) return void setTimeout(look, LOOK_MS, detector, stream);
  for (const track of stream.getTracks()) track.stop();
  view.hidden = true;
  code.value = found[0].rawValue;
  navigator.vibrate?.(60);
  form.requestSubmit();
}

async function begin() {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  const known = await BarcodeDetector.getSupportedFormats();
  view.srcObject = stream;
  view.hidden = false;
  await view.play();
  look(new BarcodeDetector({ formats: FORMATS.filter((one) => known.includes(one)) }), stream);
}

if ("BarcodeDetector" in globalThis && navigator.mediaDevices?.getUserMedia) {
  row.hidden = false;
  document.getElementById("camera").addEventListener("click", () => begin().catch(() => (row.hidden = true)));
}

form.addEventListener("submit", () => setTimeout(() => form.querySelectorAll("button").forEach((one) => (one.disabled = true))));
addEventListener("pageshow", () => form.querySelectorAll("button").forEach((one) => (one.disabled = false)));
