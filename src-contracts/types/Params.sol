// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice One version of the protocol's tunable numbers. Append-only: a job keeps the version that it was posted with.
/// The hot path's part travels as `Rules`.
struct Params {
    /// Protocol fee, basis points of the price.
    uint16 feeBps;
    /// Least bond of a job paid in DPU, in tenths of its highest price (40 = 4 × price).
    uint16 bondTenths;
    /// Part of the bond that a missed commit costs, basis points. A withheld reveal costs all of it.
    uint16 noShowBps;
    /// Parts of a slash that are burnt and that fund the retry, basis points; the rest goes to the treasury.
    uint16 burnBps;
    uint16 retryBps;
    /// Base rates of audits among single-seat leases: two bits for each of the runtimes 0 … 7, which stand for 0, 1, 2 or 5 %.
    uint16 auditRates;
    /// Seconds from commit (or from the end of the audit's window) to reveal.
    uint24 revealWindow;
    /// Seconds in which a drawn audit must be answered.
    uint24 auditWindow;
    /// Seconds a job must stay open before its requester may cancel it.
    uint32 openFor;
    /// The draw lets one more expected node in every `drawStep` seconds, and everyone after `drawOpenAfter`.
    uint16 drawStep;
    uint24 drawOpenAfter;
}
