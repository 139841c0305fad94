/**
 * The tables, filled from events alone, one file per topic, and how they hang together. Words are the contracts'. Amounts are in the
 * currency's smallest unit, times are unix seconds. `event` columns hold the id of the event that made the row: text of fixed length,
 * ordered as on chain.
 */
import { relations } from 'ponder';
import { dispute, juror } from './court.schema.ts';
import { creditMint, priorityPayment } from './credits.schema.ts';
import { operation, operationCall, proposal, proposalCall, vote } from './governance.schema.ts';
import { bondChange } from './history.schema.ts';
import { activity, job, lease, leaseHistory, node, payment, stakeEvent } from './market.schema.ts';
import { panel, seat } from './panels.schema.ts';

export * from './capability.schema.ts';
export * from './court.schema.ts';
export * from './credits.schema.ts';
export * from './governance.schema.ts';
export * from './history.schema.ts';
export * from './market.schema.ts';
export * from './panels.schema.ts';

export const jobRelations = relations(job, ({ many }) => ({
  leases: many(lease),
  panels: many(panel),
  seats: many(seat),
  lapses: many(leaseHistory),
  payments: many(payment),
  disputes: many(dispute),
  credits: many(creditMint),
  priorityPayments: many(priorityPayment),
  activity: many(activity),
}));
export const leaseRelations = relations(lease, ({ one }) => ({
  ofJob: one(job, { fields: [lease.job], references: [job.id] }),
  holder: one(node, { fields: [lease.node], references: [node.id] }),
}));
export const panelRelations = relations(panel, ({ one, many }) => ({
  ofJob: one(job, { fields: [panel.job], references: [job.id] }),
  places: many(seat),
}));
export const seatRelations = relations(seat, ({ one }) => ({
  ofJob: one(job, { fields: [seat.job], references: [job.id] }),
  ofPanel: one(panel, { fields: [seat.job, seat.first], references: [panel.job, panel.first] }),
  holder: one(node, { fields: [seat.node], references: [node.id] }),
}));
export const leaseHistoryRelations = relations(leaseHistory, ({ one }) => ({
  ofJob: one(job, { fields: [leaseHistory.job], references: [job.id] }),
  holder: one(node, { fields: [leaseHistory.node], references: [node.id] }),
}));
export const nodeRelations = relations(node, ({ many }) => ({
  leases: many(lease),
  seats: many(seat),
  lapses: many(leaseHistory),
  stakeEvents: many(stakeEvent),
  bondChanges: many(bondChange),
  disputes: many(dispute),
  juries: many(juror),
  credits: many(creditMint),
  activity: many(activity),
}));
export const stakeEventRelations = relations(stakeEvent, ({ one }) => ({
  ofNode: one(node, { fields: [stakeEvent.node], references: [node.id] }),
}));
export const paymentRelations = relations(payment, ({ one }) => ({
  ofJob: one(job, { fields: [payment.job], references: [job.id] }),
}));
export const activityRelations = relations(activity, ({ one }) => ({
  ofJob: one(job, { fields: [activity.job], references: [job.id] }),
  ofNode: one(node, { fields: [activity.node], references: [node.id] }),
}));
export const disputeRelations = relations(dispute, ({ one, many }) => ({
  ofJob: one(job, { fields: [dispute.job], references: [job.id] }),
  holder: one(node, { fields: [dispute.node], references: [node.id] }),
  jurors: many(juror),
}));
export const jurorRelations = relations(juror, ({ one }) => ({
  ofDispute: one(dispute, { fields: [juror.dispute], references: [dispute.key] }),
  ofNode: one(node, { fields: [juror.node], references: [node.id] }),
}));
export const bondChangeRelations = relations(bondChange, ({ one }) => ({
  ofNode: one(node, { fields: [bondChange.node], references: [node.id] }),
}));
export const creditMintRelations = relations(creditMint, ({ one }) => ({
  ofJob: one(job, { fields: [creditMint.job], references: [job.id] }),
  ofNode: one(node, { fields: [creditMint.node], references: [node.id] }),
}));
export const priorityPaymentRelations = relations(priorityPayment, ({ one }) => ({
  ofJob: one(job, { fields: [priorityPayment.job], references: [job.id] }),
}));
export const proposalRelations = relations(proposal, ({ many }) => ({ calls: many(proposalCall), votes: many(vote) }));
export const proposalCallRelations = relations(proposalCall, ({ one }) => ({
  ofProposal: one(proposal, { fields: [proposalCall.proposal], references: [proposal.id] }),
}));
export const voteRelations = relations(vote, ({ one }) => ({
  ofProposal: one(proposal, { fields: [vote.proposal], references: [proposal.id] }),
}));
export const operationRelations = relations(operation, ({ many }) => ({ parts: many(operationCall) }));
export const operationCallRelations = relations(operationCall, ({ one }) => ({
  ofOperation: one(operation, { fields: [operationCall.batch], references: [operation.id] }),
}));
