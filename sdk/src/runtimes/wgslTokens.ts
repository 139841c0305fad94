/**
 * The words of a kernel. WGSL has no text literals and no preprocessor, so they are easily found; whether they mean anything
 * the compiler decides. "WebGPU Shading Language", W3C, sections 3.2 (comments) and 3.5 (literals).
 */

/** A word, a number or a sign of a kernel, and the line on which it stands. */
export interface Token {
  readonly text: string;
  readonly line: number;
}

const TOKEN =
  /0[xX][0-9a-fA-F.]+(?:[pP][+-]?\d+)?[a-zA-Z]*|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[a-zA-Z]*|[\p{XID_Start}_][\p{XID_Continue}]*|\S/gu;

/** The words of a kernel without its comments. Comments of the form `/* … *\/` nest. */
export function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  let depth = 0;
  source.split(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/u).forEach((text, index) => {
    let code = '';
    for (let at = 0; at < text.length;) {
      const two = text.slice(at, at + 2);
      if (depth === 0 && two === '//') break;
      const step = two === '/*' ? 1 : two === '*/' && depth > 0 ? -1 : 0;
      depth += step;
      if (step !== 0) code += ' ';
      else if (depth === 0) code += text[at];
      at += step === 0 ? 1 : 2;
    }
    for (const [word] of code.matchAll(TOKEN)) tokens.push({ text: word, line: index + 1 });
  });
  return tokens;
}
