import type { Words } from './en.ts';

/** German. Loaded when somebody asks for it. */
export const de: Words = {
  nav: {
    network: 'Netzwerk',
    jobs: 'Aufträge',
    nodes: 'Knoten',
    court: 'Gericht',
    stake: 'Einlage',
    credits: 'Gutschriften',
    governance: 'Abstimmungen',
    account: 'Konto',
    post: 'Auftrag erteilen',
    menu: 'Menü',
    skip: 'Zum Inhalt',
  },
  footer: {
    motto: 'Der Vertrag hält das Geld und entscheidet. Diese Seite ist nur eines von vielen möglichen Fenstern darauf.',
    language: 'Sprache',
  },
  home: {
    title: 'Rechenleistung, die niemandem gehört.',
    text: 'Erteile einen Auftrag aus deiner Wallet. Knoten mit Einlage rechnen seine Teile, Verträge verwahren das Geld, und du prüfst jedes Ergebnis selbst.',
    demo: 'Demo-Wallet ausprobieren',
    demoNote: 'Die Demo-Wallet ist nur für dieses lokale Testnetz: Ihr Geld ist nichts wert.',
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
