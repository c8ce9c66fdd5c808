"""A camera and a microphone made in the page, whose colour and tone a test can change, stop or let run again.

`hjVoice([r, g, b], hz)` changes both at one instant, `hjFreeze(true)` lets the camera give no more pictures.
"""

from __future__ import annotations

from playwright.sync_api import Page

from tests.support.fakes import Voice

SCRIPT = """
(() => {
  let rgb = [0, 0, 0], frozen = false, tone = null, step = 0;
  const make = async () => {
    const canvas = document.createElement('canvas');
    canvas.width = 640; canvas.height = 360;
    const paint = canvas.getContext('2d');
    const context = new AudioContext();
    await context.resume();
    const gain = context.createGain(); gain.gain.value = 0.3;
    tone = context.createOscillator();
    const out = context.createMediaStreamDestination();
    tone.connect(gain).connect(out); tone.frequency.value = window.hjHz; tone.start();
    const stream = canvas.captureStream(0);
    const camera = stream.getVideoTracks()[0];
    setInterval(() => {
      if (frozen) return;
      paint.fillStyle = `rgb(${rgb})`; paint.fillRect(0, 0, 640, 360);
      paint.fillStyle = '#777'; paint.fillRect((step++ * 7) % 600, 340, 20, 20);
      (camera.requestFrame ? camera : stream).requestFrame(); // Firefox has it on the stream
    }, 50);
    stream.addTrack(out.stream.getAudioTracks()[0]);
    return stream;
  };
  window.hjVoice = (colour, hz) => { rgb = colour; window.hjHz = hz; if (tone) tone.frequency.value = hz; };
  window.hjFreeze = (on) => { frozen = on; };
  window.hjVoice(START_RGB, START_HZ);
  let made;
  if (navigator.mediaDevices) navigator.mediaDevices.getUserMedia = async (wish) => {
    const all = await (made ??= make());
    return new MediaStream([
      ...(wish.audio ? all.getAudioTracks().map((track) => track.clone()) : []),
      ...(wish.video ? all.getVideoTracks().map((track) => track.clone()) : []),
    ]);
  };
})();
"""


def script(voice: Voice) -> str:
    """The init script of somebody who begins with this voice."""
    return SCRIPT.replace("START_RGB", str(list(voice.rgb))).replace("START_HZ", str(voice.tone))


def become(page: Page, voice: Voice) -> None:
    """From this instant on another colour and tone."""
    page.evaluate("([rgb, hz]) => window.hjVoice(rgb, hz)", [list(voice.rgb), voice.tone])


def freeze(page: Page, on: bool) -> None:
    """The camera gives nothing any more, or does again."""
    page.evaluate("(on) => window.hjFreeze(on)", on)
