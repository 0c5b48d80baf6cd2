/** The keywords of JSON Schema 2020-12 that docs/*.schema.json use; any other keyword is an error, so none is skipped unseen. */

type Schema = Readonly<Record<string, unknown>>;
const isObject = (x: unknown): x is Schema => typeof x === "object" && x !== null && !Array.isArray(x);
const silent = new Set(["$schema", "$id", "$defs", "title", "description"]);

/** Where the value breaks the schema, as `place: keyword`; empty when it conforms. */
export function conforms(root: unknown, value: unknown): string[] {
  return check(root, root, value, "");
}

function check(root: unknown, schema: unknown, value: unknown, at: string): string[] {
  if (!isObject(schema)) return [`${at}: not a schema`];
  return Object.entries(schema).flatMap(([keyword, rule]) =>
    silent.has(keyword) ? [] : keywordProblems(root, schema, keyword, rule, value, at),
  );
}

function keywordProblems(
  root: unknown,
  schema: Schema,
  keyword: string,
  rule: unknown,
  value: unknown,
  at: string,
): string[] {
  const no = (broken: boolean): string[] => (broken ? [`${at}: ${keyword}`] : []);
  const list: readonly unknown[] = Array.isArray(rule) ? rule : [];
  switch (keyword) {
    case "type":
      return no(typeof rule !== "string" || !isType(rule, value));
    case "const":
      return no(value !== rule);
    case "enum":
      return no(!list.includes(value));
    case "pattern":
      return no(typeof value === "string" && !new RegExp(String(rule), "u").test(value));
    case "anyOf":
      return no(!list.some((s) => check(root, s, value, at).length === 0));
    case "oneOf":
      return no(list.filter((s) => check(root, s, value, at).length === 0).length !== 1);
    case "$ref":
      return check(root, resolved(root, String(rule)), value, at);
    case "required":
      return no(isObject(value) && !list.every((name) => typeof name === "string" && Object.hasOwn(value, name)));
    case "propertyNames":
      return isObject(value) ? Object.keys(value).flatMap((k) => check(root, rule, k, `${at}/${k}`)) : [];
    case "items":
      return Array.isArray(value) ? value.flatMap((v, i) => check(root, rule, v, `${at}/${i}`)) : [];
    case "properties":
      return isObject(value) && isObject(rule)
        ? Object.entries(rule).flatMap(([k, s]) =>
            Object.hasOwn(value, k) ? check(root, s, value[k], `${at}/${k}`) : [],
          )
        : [];
    case "additionalProperties":
      return isObject(value) ? surplus(root, schema, rule, value, at) : [];
    default:
      return [`${at}: unknown keyword ${keyword}`];
  }
}

function surplus(root: unknown, schema: Schema, rule: unknown, value: Schema, at: string): string[] {
  const known = isObject(schema["properties"]) ? schema["properties"] : {};
  return Object.entries(value)
    .filter(([k]) => !Object.hasOwn(known, k))
    .flatMap(([k, v]) =>
      rule === false ? [`${at}/${k}: surplus`] : rule === true ? [] : check(root, rule, v, `${at}/${k}`),
    );
}

function resolved(root: unknown, ref: string): unknown {
  let here = root;
  for (const part of ref.replace(/^#\/?/, "").split("/").filter(Boolean))
    here = isObject(here) ? here[part] : undefined;
  return here;
}

function isType(type: string, value: unknown): boolean {
  if (type === "object") return isObject(value);
  if (type === "array") return Array.isArray(value);
  if (type === "null") return value === null;
  if (type === "integer") return Number.isInteger(value);
  return typeof value === type;
}
