/**
 * A pure function whose answers are kept as long as their argument is: an audit is asked again in each round, and several
 * of its parts read the same document. The argument must not be changed afterwards. An error is not kept.
 */
export function once<Key extends object, Value>(answer: (key: Key) => Value): (key: Key) => Value {
  const known = new WeakMap<Key, { readonly value: Value }>();
  return (key) => {
    const found = known.get(key) ?? { value: answer(key) };
    known.set(key, found);
    return found.value;
  };
}
