// Owns the choice from a long list by its code or by the first letters of its label.

const TOGETHER = 800; // milliseconds within which letters make one word
const plain = (text) => text.trim().toLocaleLowerCase();

export function typeAhead(form, { isOn, goOn }) {
  let typed = "";
  let last = 0;
  let where = null;

  function find(select, text) {
    const options = [...select.options];
    const starts = (of) => options.filter((option) => plain(of(option)).startsWith(text));
    const code = (option) => option.value;
    const label = (option) => option.text;
    return options.find((option) => plain(option.value) === text) ?? starts(label)[0] ?? starts(code)[0];
  }

  function choose(select, option) {
    if (option.selected) return;
    option.selected = true;
    select.dispatchEvent(new Event("change", { bubbles: true }));
  }

  form.addEventListener("keydown", (event) => {
    const select = event.target;
    if (!isOn() || !select.matches("select") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (select !== where || event.timeStamp - last > TOGETHER) typed = "";
    if (event.key.length !== 1 || (event.key === " " && !typed)) return;
    event.preventDefault();
    [where, last] = [select, event.timeStamp];
    typed += plain(event.key) || " ";
    // One letter again and again walks through the labels that begin with it.
    const isOneLetter = [...typed].every((letter) => letter === typed[0]) && typed.length > 1;
    let option = find(select, typed);
    if (!option && isOneLetter) {
      const same = [...select.options].filter((one) => plain(one.text).startsWith(typed[0]));
      option = same[(same.findIndex((one) => one.selected) + 1) % same.length];
    }
    if (!option) return;
    choose(select, option);
    if (/^\d+$/.test(typed) && option.value === typed) {
      typed = "";
      goOn(select);
    }
  });
}
