// Owns the talk with the server: form-encoded out, JSON in, the session's token beside every request.

const TOKENS = "[name=csrfmiddlewaretoken]";

export function serverOf(form) {
  /** One request; { status, said }. A redirect means that nobody is logged in. Throws when the network fails. */
  async function ask(method, url, body = null, options = {}) {
    const headers = { Accept: "application/json", "X-CSRFToken": form.querySelector(TOKENS).value };
    const answer = await fetch(url, { method, body, headers, redirect: "manual", cache: "no-store", ...options });
    const isSpoken = (answer.headers.get("Content-Type") ?? "").startsWith("application/json");
    const said = isSpoken ? await answer.json() : {};
    return { status: answer.type === "opaqueredirect" ? 401 : answer.status, said };
  }

  function renew(token) {
    for (const field of document.querySelectorAll(TOKENS)) field.value = token;
  }

  /** As `ask`; an outdated token is renewed once. A session of somebody else counts as none: nobody else's name may
   * come to stand for these answers. */
  async function tell(method, url, body, options) {
    const first = await ask(method, url, body, options);
    if (first.status !== 403) return first;
    const session = await ask("GET", form.dataset.sessionUrl);
    if (session.said.user !== form.dataset.user) return { status: 401, said: {} };
    renew(session.said.csrf);
    return ask(method, url, body, options);
  }

  /** Log the form's user in; { status, said } of the log-in. */
  async function logIn(password) {
    const session = await ask("GET", form.dataset.sessionUrl);
    renew(session.said.csrf);
    if (session.said.user === form.dataset.user) return { status: 200, said: session.said };
    const body = new URLSearchParams({ login: form.dataset.user, password });
    return proved(await ask("POST", form.dataset.loginUrl, body));
  }

  /** Give the second factor that the log-in asked for. */
  async function give(url, proof) {
    return proved(await ask("POST", url, new URLSearchParams(proof)));
  }

  function proved(answer) {
    if (answer.said.csrf) renew(answer.said.csrf);
    return answer;
  }

  return { tell, logIn, give };
}
