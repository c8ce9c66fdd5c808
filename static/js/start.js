/*
 * Runs before everything else, in words that old browsers know: loads the page's module, or says that the browser is too old.
 * No module, no syntax newer than ES5. What it looks for is what the pages cannot do without; the sentence is the catalogue's.
 */
(function () {
  var script = /** @type {HTMLScriptElement} */ (document.currentScript);
  var page = String(script.getAttribute('data-page'));
  var media = script.getAttribute('data-needs') === 'media';

  /** @param {string} owner @param {string[]} names */
  function has(owner, names) {
    var made = /** @type {any} */ (window)[owner];
    return Boolean(made) && names.every(function (name) { return name in made.prototype; });
  }

  function able() {
    // toSorted came with the versions that the vendored packages are built for (static/bundle.mjs): Chrome 110, Firefox 115, Safari 16.
    if (!has('HTMLScriptElement', ['noModule']) || !has('Array', ['at', 'toSorted']) || !('customElements' in window)) return false;
    if (!media) return true;
    // Without https there are no devices, and the page says so itself.
    var devices = !window.isSecureContext || Boolean(navigator.mediaDevices && 'getUserMedia' in navigator.mediaDevices);
    return devices && has('RTCPeerConnection', ['addTransceiver', 'setConfiguration']) &&
      has('RTCRtpSender', ['replaceTrack', 'setParameters']) && has('RTCRtpReceiver', ['getSynchronizationSources']);
  }

  function refuse() {
    var asked = String(navigator.language || '').slice(0, 2).toLowerCase();
    var language = asked === 'ko' || asked === 'ru' ? asked : 'en';
    var request = new XMLHttpRequest();
    request.open('GET', '/static/i18n/' + language + '.ftl');
    request.onload = function () {
      var found = /^too-old = (.*)$/m.exec(request.responseText);
      var main = /** @type {HTMLElement} */ (document.querySelector('main'));
      var words = document.createElement('p');
      words.setAttribute('role', 'alert');
      words.setAttribute('data-testid', 'too-old');
      words.className = 'notice notice-alarm too-old';
      words.textContent = found ? String(found[1]) : '';
      document.documentElement.lang = language;
      main.textContent = '';
      main.appendChild(words);
    };
    request.send();
  }

  if (!able()) {
    refuse();
    return;
  }
  // A browser that has all this and yet does not understand our modules lies between two versions.
  window.addEventListener('error', function (event) {
    if (event.error instanceof SyntaxError && !document.querySelector('main > *')) refuse();
  });
  var module = document.createElement('script');
  module.type = 'module';
  module.src = page;
  document.head.appendChild(module);
})();
