/**
 * Tasks that use every parameter of every module that takes a secret: each `{{ canary_N }}` is another one. What cannot be
 * done on the host (there is no server, no spare disk) fails, which is a case of its own.
 */
export const CANARY_TASKS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  blockinfile: {
    block: "path: /srv/canary/block, create: true, mode: '0600', block: '{{ it }}'",
    content: "path: /srv/canary/block2, create: true, mode: '0600', content: '{{ it }}'",
  },
  clevis: {
    passphrase:
      "device: /dev/canary, tang: [{ url: 'http://127.0.0.1:9/', thp: Xq3bqMrJJjzyaQfVD4xcRZ2EOvGp3eCEYp3PuXGGJBk }], passphrase: '{{ it }}'",
  },
  command: { stdin: "cmd: tee /srv/canary/command, stdin: '{{ it }}'" },
  copy: { content: "dest: /srv/canary/copy, mode: '0600', content: '{{ it }}'" },
  cryptenroll: { passphrase: "device: /dev/canary, passphrase: '{{ it }}'" },
  debconf: {
    value: "name: canary, question: canary/one, vtype: password, value: '{{ it }}'",
    answer: "name: canary, question: canary/two, vtype: string, answer: '{{ it }}'",
  },
  debug: { msg: "msg: 'so it is {{ it }}'" },
  get_url: {
    url: "url: 'http://127.0.0.1:9/{{ it }}', dest: /srv/canary/url",
    headers: "url: 'http://127.0.0.1:9/', dest: /srv/canary/url, headers: { X-Key: '{{ it }}' }",
    url_username:
      "url: 'http://127.0.0.1:9/', dest: /srv/canary/url, url_username: '{{ it }}', url_password: x",
    url_password:
      "url: 'http://127.0.0.1:9/', dest: /srv/canary/url, url_username: me, url_password: '{{ it }}'",
    username: "url: 'http://127.0.0.1:9/', dest: /srv/canary/url, username: '{{ it }}', password: x",
    password: "url: 'http://127.0.0.1:9/', dest: /srv/canary/url, username: me, password: '{{ it }}'",
  },
  htpasswd: { password: "path: /srv/canary/htpasswd, name: me, password: '{{ it }}', mode: '0600'" },
  ini_file: {
    value: "path: /srv/canary/ini, section: a, option: b, mode: '0600', value: '{{ it }}'",
    values: "path: /srv/canary/ini2, section: a, option: b, mode: '0600', values: ['{{ it }}']",
  },
  lineinfile: {
    line: "path: /srv/canary/line, create: true, mode: '0600', line: 'word={{ it }}'",
    value: "path: /srv/canary/line2, create: true, mode: '0600', value: 'word={{ it }}'",
  },
  luks_device: {
    passphrase: "device: /dev/canary, state: opened, name: canary, passphrase: '{{ it }}'",
    new_passphrase: "device: /dev/canary, passphrase: x, new_passphrase: '{{ it }}'",
    remove_passphrase: "device: /dev/canary, passphrase: x, remove_passphrase: '{{ it }}'",
  },
  openssl_privatekey: { passphrase: "path: /srv/canary/key, cipher: auto, passphrase: '{{ it }}'" },
  replace: { replace: "path: /srv/canary/replaced, regexp: 'old', replace: '{{ it }}'" },
  shell: { stdin: "cmd: 'cat; cat /srv/canary/shell >&2; exit 3', stdin: '{{ it }}'" },
  template: { src: "src: canary.hbs, dest: /srv/canary/template, mode: '0600'" },
  uri: {
    url: "url: 'http://127.0.0.1:9/{{ it }}'",
    headers: "url: 'http://127.0.0.1:9/', headers: { X-Key: '{{ it }}' }",
    url_username: "url: 'http://127.0.0.1:9/', url_username: '{{ it }}', url_password: x",
    url_password: "url: 'http://127.0.0.1:9/', url_username: me, url_password: '{{ it }}'",
    user: "url: 'http://127.0.0.1:9/', user: '{{ it }}', password: x",
    password: "url: 'http://127.0.0.1:9/', user: me, password: '{{ it }}'",
    body: "url: 'http://127.0.0.1:9/', method: POST, body_format: json, body: { word: '{{ it }}' }",
  },
  x509_certificate: {
    privatekey_passphrase:
      "path: /srv/canary/crt, privatekey_path: /srv/canary/key, common_name: canary, privatekey_passphrase: '{{ it }}'",
    ownca_privatekey_passphrase:
      "path: /srv/canary/crt2, privatekey_path: /srv/canary/key, common_name: canary, provider: ownca, ownca_path: /srv/canary/crt, ownca_privatekey_path: /srv/canary/key, ownca_privatekey_passphrase: '{{ it }}'",
  },
  user: { password: "name: canary, password: '{{ it }}'" },
}
