/** What a form needs to know about one option of a template. */
export interface OptionField {
  name: string;
  /** From the name: `tileWidth` → `Tile width`. */
  label: string;
  hint: string;
  /** `choice`: one of `choices`. */
  kind: 'number' | 'boolean' | 'choice' | 'text';
  initial: number | boolean | string;
  choices?: readonly string[];
  min?: number;
  max?: number;
}

interface Property {
  type?: string;
  description?: string;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  enum?: unknown[];
}

/** The fields of a form, from a template's options as JSON schema. Lists and maps keep their defaults. */
export function optionFields(schema: unknown): OptionField[] {
  const { properties = {} } = schema as { properties?: Record<string, Property> };
  return Object.entries(properties).flatMap(([name, property]): OptionField[] => {
    const { type, description = '', default: initial, minimum, maximum } = property;
    const common = { name, label: labelOf(name), hint: description };
    if (type === 'boolean') return [{ ...common, kind: 'boolean', initial: initial === true }];
    const text = typeof initial === 'string' ? initial : '';
    if (property.enum) return [{ ...common, kind: 'choice', initial: text, choices: property.enum.map(String) }];
    if (type === 'string') return [{ ...common, kind: 'text', initial: text }];
    if (type !== 'integer' && type !== 'number') return [];
    return [
      {
        ...common,
        kind: 'number',
        initial: typeof initial === 'number' ? initial : 0,
        ...(minimum !== undefined && { min: minimum }),
        ...(maximum !== undefined && { max: maximum }),
      },
    ];
  });
}

/** Values as the template takes them, from what stands in the form. Text that is no number is left for its rules to refuse. */
export function optionValues(
  fields: readonly OptionField[],
  form: Readonly<Record<string, string | boolean>>,
): Record<string, unknown> {
  return Object.fromEntries(
    fields.map(({ name, kind }) => {
      const value = form[name];
      if (kind === 'boolean') return [name, value === true];
      if (kind === 'choice' || kind === 'text') return [name, typeof value === 'string' ? value : ''];
      return [name, typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN];
    }),
  );
}

/** Names that read better than what they would be split into. */
const LABELS: Readonly<Record<string, string>> = {
  args: 'Arguments',
  centerX: 'Center across',
  centerY: 'Center upwards',
  fps: 'Frames per second',
  hidden: 'Hidden layer',
  memoryMb: 'Memory',
  outputMb: 'Largest output',
  rate: 'Learning rate',
};

function labelOf(name: string): string {
  if (Object.hasOwn(LABELS, name)) return LABELS[name] ?? name;
  const words = name.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}
