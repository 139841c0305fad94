/** A real SMTP server in this process, that keeps what it gets. */
import type { AddressInfo } from 'node:net';

import { SMTPServer } from 'smtp-server';

/** A mail as it came. */
export interface Received {
  from: string;
  to: string[];
  /** Headers by their names in lower case, unfolded. */
  headers: ReadonlyMap<string, string>;
  text: string;
}

export interface MailServer {
  url: string;
  received: Received[];
  /** SMTP code with which the next mails are refused; undefined takes them. */
  refuse: number | undefined;
  close(): Promise<void>;
}

/** Starts one on a free port of loopback. */
export async function startMailServer(port = 0): Promise<MailServer> {
  const received: Received[] = [];
  const here: MailServer = { url: '', received, refuse: undefined, close: () => Promise.resolve() };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        if (here.refuse) return done(Object.assign(new Error('no'), { responseCode: here.refuse }));
        const { mailFrom, rcptTo } = session.envelope;
        const from = mailFrom ? mailFrom.address : '';
        received.push({ from, to: rcptTo.map(({ address }) => address), ...parse(Buffer.concat(chunks).toString()) });
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  here.url = `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  here.close = () => new Promise((resolve) => server.close(resolve));
  return here;
}

function parse(raw: string): Pick<Received, 'headers' | 'text'> {
  const at = raw.indexOf('\r\n\r\n');
  const lines = raw
    .slice(0, at)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  const body = raw.slice(at + 4);
  const encoding = headers.get('content-transfer-encoding');
  const text =
    encoding === 'quoted-printable'
      ? Buffer.from(
          body
            .replace(/=\r\n/g, '')
            .replace(/=([0-9A-F]{2})/g, (_match, hex: string) => String.fromCharCode(parseInt(hex, 16))),
          'latin1',
        ).toString()
      : encoding === 'base64'
        ? Buffer.from(body, 'base64').toString()
        : body;
  return { headers, text: text.replaceAll('\r\n', '\n') };
}
