/** E-mail through any SMTP server. */
import type { Transporter } from 'nodemailer';

import { ProblemError } from '../api/problem.ts';

/** One mail, plain text. */
export interface Mail {
  to: string;
  subject: string;
  text: string;
  /** The same in every attempt, so that the receiver's side can tell a second one. */
  id: string;
  /** Where one click ends these mails; none for a confirmation. */
  unsubscribe?: { page: string; oneClick: string };
}

/** Sends mails. */
export interface Mailer {
  /** @throws Error when the server did not take it */
  send(mail: Mail): Promise<void>;
  close(): void;
}

/** How long an SMTP server has for each step, milliseconds. */
const STEP_MS = 10_000;

/** A mailer through the server at `url`, e.g. `smtps://user:password@mail.example:465`. */
export function smtpMailer({ url, from }: { url: string; from: string }): Mailer {
  const options = {
    ...{ url, connectionTimeout: STEP_MS, greetingTimeout: STEP_MS, socketTimeout: STEP_MS },
    ...{ disableFileAccess: true, disableUrlAccess: true },
  };
  // Loaded with the first mail: Ponder gives each file ten seconds at its start, and on a busy machine these took longer.
  let opened: Promise<Transporter> | undefined;
  const open = () =>
    (opened ??= import('nodemailer').then(({ default: nodemailer }) => nodemailer.createTransport(options)));
  const domain = from.split('@')[1]!;
  return {
    async send({ to, subject, text, id, unsubscribe }) {
      const transport = await open();
      await transport.sendMail({
        from: { name: 'DPU', address: from },
        to: { name: '', address: to },
        subject,
        text: unsubscribe ? `${text}\n\n--\nNo more of these: ${unsubscribe.page}\n` : `${text}\n`,
        messageId: `<${id}@${domain}>`,
        headers: {
          'Auto-Submitted': 'auto-generated',
          ...(unsubscribe && {
            'List-Unsubscribe': `<${unsubscribe.oneClick}>`,
            'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
          }),
        },
      });
    },
    close: () => void opened?.then((transport) => transport.close()),
  };
}

/**
 * An address of the plain form that every provider knows: no comments, quotes, groups, or anything that could end a header.
 * @returns it with the host in lower case. @throws ProblemError `invalid-request`
 */
export function mailAddress(given: string): string {
  const match =
    /^([A-Za-z0-9._%+-]{1,64})@([A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9-]{1,63})+)$/.exec(given);
  if (match && given.length <= 254 && !match[1]!.includes('..')) return `${match[1]}@${match[2]!.toLowerCase()}`;
  const sentence = 'address must be like name@example.com';
  throw new ProblemError('invalid-request', sentence, { errors: [{ path: 'address', sentence }] });
}
