import { parseUnits } from 'viem';

import type { Deployment } from '@dpu/sdk/deployment';

import { messageOf } from '../errors.ts';
import { parseWindow } from '../resources/schedule.ts';

/** Asks a person one question; an empty answer takes what is proposed. */
export type Ask = (question: string, proposed: string) => Promise<string>;

/** Settings that were answered, as the command line would give them. */
export type Answers = Record<string, string>;

/** What the questions propose, and what they need to know. */
export interface QuestionContext {
  /** Settings that were given already: they are not asked for. */
  given: ReadonlySet<string>;
  deployment: string;
  dataDir: string;
  cores: number;
  /** Reads the network's deployment file. @throws when it cannot be used. */
  readNetwork: (file: string) => Deployment;
  print: (line: string) => void;
}

/** Asks until the answer can be used. */
async function until<T>(
  ask: Ask,
  question: string,
  proposed: string,
  print: (line: string) => void,
  use: (answer: string) => T,
): Promise<T> {
  for (;;) {
    const answer = (await ask(question, proposed)).trim() || proposed;
    try {
      return use(answer);
    } catch (error) {
      print(messageOf(error));
    }
  }
}

const ALWAYS = 'always';
const IDLE = 'idle';

/** The five questions of `dpu-node init`: which network, where, how much of the machine, at what price, and when. */
export async function askQuestions(ask: Ask, context: QuestionContext): Promise<Answers> {
  const { given, print, cores } = context;
  const answers: Answers = {};
  const deployment = given.has('deployment')
    ? context.deployment
    : await until(ask, '1/5 The network: its deployment file', context.deployment, print, (file) => {
        context.readNetwork(file);
        return file;
      });
  if (!given.has('deployment')) answers['deployment'] = deployment;
  if (!given.has('dataDir')) {
    answers['dataDir'] = await until(ask, '2/5 The folder for its data', context.dataDir, print, (folder) => folder);
  }
  if (!given.has('slots')) {
    const question = `3/5 How many shards may run at once (this machine has ${cores} cores)`;
    answers['slots'] = await until(ask, question, String(cores), print, (text) => {
      if (!/^\d+$/.test(text) || Number(text) < 1 || Number(text) > 1_024) throw new Error('A number from 1 to 1024.');
      return text;
    });
  }
  const [currency] = context.readNetwork(deployment).currencies;
  if (!given.has('asks') && currency) {
    const question = `4/5 The least price of a shard in ${currency.symbol} (0: any price in any currency)`;
    const ask_ = await until(ask, question, '0', print, (text) => {
      if (!/^\d+(\.\d+)?$/.test(text)) throw new Error(`An amount of ${currency.symbol}, such as 0.25.`);
      return parseUnits(text, currency.decimals);
    });
    if (ask_ > 0n) answers['asks'] = `${currency.address}=${ask_}`;
  }
  if (!given.has('schedule') && !given.has('onlyWhenIdle')) {
    const question =
      '5/5 When may it work: always, idle (only while nobody else uses the machine), or hours such as 22:00-07:00 weekdays';
    const when = await until(ask, question, ALWAYS, print, (text) => {
      if (text !== ALWAYS && text !== IDLE) for (const window of text.split(';')) parseWindow(window.trim());
      return text;
    });
    if (when === IDLE) answers['onlyWhenIdle'] = 'true';
    else if (when !== ALWAYS) answers['schedule'] = when;
  }
  return answers;
}
