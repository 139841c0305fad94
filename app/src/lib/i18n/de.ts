import type { Words } from './en.ts';

/** German. Loaded when somebody asks for it. */
export const de: Words = {
  nav: {
    network: 'Netz',
    jobs: 'Aufträge',
    nodes: 'Knoten',
    court: 'Gericht',
    stake: 'Einlage',
    credits: 'Gutschriften',
    governance: 'Abstimmung',
    account: 'Konto',
    post: 'Auftrag erteilen',
    menu: 'Menü',
    skip: 'Zum Inhalt',
  },
  footer: {
    motto: 'Der Vertrag hält das Geld und entscheidet. Diese Seite ist eines von vielen möglichen Fenstern darauf.',
    language: 'Sprache',
  },
  home: {
    title: 'Rechenkraft, die niemandem gehört.',
    text: 'Erteile einen Auftrag aus deiner Wallet. Knoten mit Einlage rechnen seine Teile, Verträge halten das Geld, und du prüfst jedes Ergebnis selbst.',
    demo: 'Mit Demo-Wallet ausprobieren',
    demoNote: 'Die Demo-Wallet ist nur für dieses örtliche Testnetz: Ihr Geld ist nichts wert.',
    seeJobs: 'Zu den Aufträgen',
    running: 'Laufende Aufträge',
    nodes: 'Knoten',
    settled: 'Abgerechnete Teile',
    paid: 'An Knoten gezahlt',
    recent: 'Neueste Aufträge',
    all: 'Alle Aufträge',
    feed: 'Gerade jetzt',
  },
};
