// Owns which receivers answer to what is typed, in which order: the nearest first. Pure.

const COUNTRY = "SE";
const [NEAR, SHARED, COUNTY, NATIONAL, ELSEWHERE] = [0, 1, 2, 3, 4];
const ABSENT = Infinity;
const SMALL = new Set(["som", "i", "på", "och", "för", "av", "the", "and", "of", "for"]);

const lower = (text) => text.toLocaleLowerCase("sv").normalize("NFC");
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "");
export const wordsOf = (text) => lower(text).split(/[^\p{L}\p{N}]+/u).filter(Boolean);

/** How well a word begins with what is typed: 0 the whole word, 1 its beginning, 2 without its rings and dots, else never. */
function likeness(word, typed) {
  if (word === typed) return 0;
  if (word.startsWith(typed)) return 1;
  const isLike = typed.length <= word.length && [...typed].every((letter, n) => letter === word[n] || letter === plain(word[n]));
  return isLike ? 2 : ABSENT;
}

const best = (words, typed) => Math.min(ABSENT, ...words.map((word) => likeness(word, typed)));

/** How far a receiver is from a municipality (four digits) or a county (two): its own, shared, the county's, national. */
function distance({ areas, shared }, place) {
  if (areas.some((area) => area.length === 4 && area.startsWith(place))) return shared ? SHARED : NEAR;
  if (areas.includes(place.slice(0, 2))) return COUNTY;
  return areas.includes(COUNTRY) ? NATIONAL : ABSENT;
}

/** Where nobody knows where: what is for everybody comes first. */
function width({ areas, shared }) {
  if (areas.includes(COUNTRY)) return NATIONAL;
  if (areas.some((area) => area.length === 2)) return ELSEWHERE;
  return ELSEWHERE + (shared ? 1 : 2);
}

/** The receivers of `directory` in which a search looks: with their words. `labelOf` gives the name of a target. */
export function searchable({ receivers, areas }, labelOf) {
  return {
    places: Object.entries(areas).map(([code, name]) => ({ code, words: wordsOf(name) })),
    receivers: receivers.map((receiver) => {
      const [name, by, label] = [receiver.name, receiver.by, labelOf(receiver.target)].map(wordsOf);
      return { receiver, words: [...name, ...by, ...label], beginnings: [...name.slice(0, 1), ...label.slice(0, 1)] };
    }),
  };
}

/** The places that are typed, as code and likeness; only those of the county, if any is. */
function placesTyped(places, typed, county) {
  const found = places
    .map(({ code, words }) => ({
      code,
      likeness: Math.max(...typed.map((one) => best(words, one))),
      isBegun: best(words.slice(0, 1), typed[0]) < ABSENT,
    }))
    .filter((place) => place.likeness < ABSENT);
  const ofCounty = found.filter(({ code }) => code.startsWith(county));
  return county && ofCounty.length ? ofCounty : found;
}

/** How many of the words typed begin neither the name nor the target of a receiver nor a place of its own. */
function inside({ receiver, beginnings }, typed, placesOf) {
  const isOf = ({ code, isBegun }) => isBegun && distance(receiver, code) <= SHARED;
  return typed.filter((one) => best(beginnings, one) === ABSENT && !placesOf([one]).some(isOf)).length;
}

/** What places a receiver in the order, the first difference decides; null for one that does not answer.
 *
 * What its own words do not say must be a place that it is for. */
function rank({ receiver, words, beginnings }, typed, county, placesOf) {
  // A small word is what nobody looks for by itself: "so" is not for "som".
  const searched = typed.length > 1 ? words : words.filter((one) => !SMALL.has(one)).concat(beginnings);
  const likenesses = typed.map((one) => best(searched, one));
  const rest = typed.filter((_, n) => likenesses[n] === ABSENT);
  const places = rest.length ? placesOf(rest) : typed.flatMap((one) => placesOf([one]));
  const reached = places.map((place) => ({ ...place, far: distance(receiver, place.code) }));
  const nearest = reached.reduce((one, other) => (other.far < one.far ? other : one), { far: ABSENT });
  if (rest.length && nearest.far === ABSENT) return null;
  const isNamed = nearest.far <= SHARED || rest.length > 0;
  const far = isNamed ? nearest.far : Math.min(county ? distance(receiver, county) : ABSENT, width(receiver));
  const isWhole = isNamed && reached.some((place) => place.likeness === 0 && place.far < ABSENT); // Mark before Markaryd
  const nearby = reached.filter((place) => place.far === far).map((place) => place.likeness);
  const later = inside({ receiver, beginnings }, typed, placesOf);
  const isBeside = rest.length > 0 && far >= COUNTY;
  return [Number(isBeside), later, Number(!isWhole), far, Math.min(ABSENT, ...nearby, ...likenesses)];
}

/** The receivers that answer to `text`, best first: each word of it begins a word of their name, organisation or target,
 * or a place that they are for. `county` is the code of the county that the form says, "" if it says none. */
export function ranked({ receivers, places }, text, county = "") {
  const typed = wordsOf(text);
  const known = new Map();
  const placesOf = (words) => {
    const key = words.join(" ");
    if (!known.has(key)) known.set(key, placesTyped(places, words, county));
    return known.get(key);
  };
  return receivers
    .map((one) => ({ receiver: one.receiver, rank: rank(one, typed, county, placesOf) }))
    .filter(({ rank: place }) => place)
    .sort((one, other) => {
      const n = one.rank.findIndex((value, at) => value !== other.rank[at]);
      return n < 0 ? one.receiver.name.localeCompare(other.receiver.name, "sv") : one.rank[n] - other.rank[n];
    })
    .map(({ receiver }) => receiver);
}

/** The code of the first option whose label answers to `text`, "" for none: a target by what is typed. */
export function answering(options, text) {
  const typed = wordsOf(text);
  const likenesses = ({ text: label }) => typed.map((one) => best(wordsOf(label), one));
  const found = typed.length ? options.filter((option) => option.value && likenesses(option).some((one) => one < ABSENT)) : [];
  return found[0]?.value ?? "";
}
