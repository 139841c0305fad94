// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Bound, Said} from "src-contracts/interfaces/IPanels.sol";
import {BenchLib} from "src-contracts/types/Bench.sol";
import {LeaseWordLib, Phase, Result} from "src-contracts/types/Lease.sol";
import {Handler} from "test/contracts/invariant/Handler.sol";
import {Lease, Terms} from "test/contracts/lib/Readable.sol";

/// @dev Audits: drawn leases that a second node computes again, and every way in which the two can end.
abstract contract AuditHandler is Handler {
    /// @dev One audit. `stage` of the auditor: claimed, committed, or lapsed; None when the audit is over.
    struct BookedAudit {
        uint256 lease;
        Phase stage;
        bool pooled;
        Lease l;
        Result r;
        bytes32 salt;
        uint256 movedAt;
        /// Gwei that a lapsed auditor has left.
        uint256 bonus;
    }

    BookedAudit[] internal audits;

    /* OPENING */

    function actAudit(uint256 seed) external acts("audit", seed) {
        uint256 k = _leaseIn(Phase.Committed, seed);
        if (k == leases.length || !_isRunning()) return;
        Work memory w = _workOf(k);
        Actor memory n = _nodeAt(seed >> 8);
        uint256 until = leases[k].at + _version(w.t.rules.version()).auditWindow - 1;
        if (vm.getBlockNumber() < w.l.committedBlock + 2) vm.roll(w.l.committedBlock + 2);
        if (_now() < leases[k].at + 100) vm.warp(leases[k].at + 100); // everyone may now
        if (_now() > until || n.owner == _ownerOf(w.l.node) || !_canLock(n, w.t, w.l.count, w.l.first)) return;
        if (_haveOneByte(w, n.id)) return;
        (bool drawn, bool pooled) = _roll(w, (seed >> 16) % 3);
        uint256 gross = uint256(w.l.price) * w.l.count;
        if (!drawn || (pooled && (w.t.currency != address(dpu) || w.t.node != 0))) return;
        if (pooled && balances[w.t.currency][treasury] < gross) return;
        vm.prank(n.operator);
        market.audit(w.t.pack(), w.l.pack(), n.id);
        if (pooled) balances[w.t.currency][treasury] -= gross;
        leases[k].phase = Phase.Seated;
        audits.push();
        BookedAudit storage a = audits[audits.length - 1];
        (a.lease, a.stage, a.pooled, a.l, a.movedAt) = (k, Phase.Claimed, pooled, w.l, leases[k].at);
        (a.l.node, a.l.bonus, a.l.deadline) = (n.id, 0, uint40(_now() + w.t.exec));
        (a.l.flags, a.l.commitment) = (w.l.flags | LeaseWordLib.SEAT, 0);
        a.r = (seed >> 24) % 4 != 0 ? w.r : (seed >> 24) % 8 == 0 ? _fault() : _result("the auditor's own");
        a.salt = keccak256(abi.encode("audit", audits.length));
        ++succeeded["audit"];
    }

    /// @dev Whether holder and node have the same byte on the bench: one pair of 255 cannot sit together.
    function _haveOneByte(Work memory w, uint32 node) private pure returns (bool) {
        bytes32 range = w.l.flags & LeaseWordLib.SOLO != 0 ? w.id : keccak256(abi.encode(w.id, uint256(w.l.first)));
        return BenchLib.printOf(range, w.l.node) == BenchLib.printOf(range, node);
    }

    /// @dev Whether the lease is drawn, and who pays; helps the draw where the hash is within reach: `kind` 1 to an
    /// audit that the protocol pays, 2 to one that the requester pays.
    function _roll(Work memory w, uint256 kind) private returns (bool drawn, bool pooled) {
        uint256 base = w.t.rules.auditBps(w.t.runtime);
        uint256 rate = base + w.t.auditBps;
        if (rate == 0) return (false, false);
        if (vm.getBlockNumber() - w.l.committedBlock > 257) return (true, base != 0);
        bytes32 seed = blockhash(w.l.committedBlock + 1);
        uint256 least = kind == 2 && w.t.auditBps != 0 ? base : 0;
        uint256 below = kind == 0 ? 10_000 : least != 0 || base == 0 ? rate : base;
        while (_rollOf(seed, w) < least || _rollOf(seed, w) >= below) seed = keccak256(abi.encode(seed));
        vm.setBlockhash(w.l.committedBlock + 1, seed);
        uint256 roll = _rollOf(seed, w);
        return (roll < rate, roll < base);
    }

    function _rollOf(bytes32 seed, Work memory w) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, w.id, uint256(w.l.first), "audit"))) % 10_000;
    }

    /* GOING ON */

    function _auditIn(Phase stage, uint256 seed) private view returns (uint256) {
        for (uint256 i; i < audits.length; ++i) {
            uint256 k = (seed % audits.length + i) % audits.length;
            if (audits[k].stage == stage) return k;
        }
        return audits.length;
    }

    function actAuditCommit(uint256 seed) external acts("auditCommit", seed) {
        uint256 i = _auditIn(Phase.Claimed, seed);
        if (i == audits.length || _now() > audits[i].l.deadline) return;
        Work memory w = _auditorOf(i);
        bytes32 commitment = _commitmentOf(w);
        vm.prank(w.n.operator);
        market.commitSeat(w.id, w.l.pack(), commitment);
        audits[i].l.commitment = commitment;
        (audits[i].stage, audits[i].movedAt) = (Phase.Committed, _now());
        ++succeeded["auditCommit"];
    }

    function actAuditLapse(uint256 seed) external acts("auditLapse", seed) {
        uint256 i = _auditIn(Phase.Claimed, seed);
        if (i == audits.length || ((seed >> 8) % 4 != 0 && _now() <= audits[i].l.deadline)) return;
        _auditLapseAt(i);
        ++succeeded["auditLapse"];
    }

    /// @dev The holder is left alone; what was set aside for the auditor goes back.
    function _auditLapseAt(uint256 i) internal {
        Work memory w = _auditorOf(i);
        if (_now() <= w.l.deadline) vm.warp(uint256(w.l.deadline) + 1);
        market.lapse(w.t.pack(), w.l.pack());
        BookedAudit storage a = audits[i];
        if (a.pooled) balances[w.t.currency][treasury] += uint256(w.l.price) * w.l.count;
        uint256 bond = uint256(w.t.bond) * w.l.count;
        a.bonus = _bookSlash(w.t, w.l.node, bond * _version(w.t.rules.version()).noShowBps / 10_000);
        (a.stage, a.pooled, a.movedAt) = (Phase.Lapsed, false, _now());
    }

    function _auditorOf(uint256 i) internal view returns (Work memory w) {
        BookedAudit storage a = audits[i];
        w = _workOf(a.lease);
        (w.n, w.l, w.r, w.salt) = (_byId(a.l.node), a.l, a.r, a.salt);
    }

    /* ENDING */

    function actAuditEnd(uint256 seed) external acts("auditEnd", seed) {
        uint256 i = _auditIn(seed % 3 == 0 ? Phase.Lapsed : Phase.Committed, seed >> 8);
        if (i == audits.length) return;
        _auditEndAt(i, (seed >> 16) % 8 < 5 ? 0 : 1 + (seed >> 24) % 3, audits[i].lease);
        ++succeeded["auditEnd"];
    }

    /// @dev Bit 0 of `silent`: the holder says nothing; bit 1: the auditor. All else is shown one by one, in time.
    function _auditEndAt(uint256 i, uint256 silent, uint256 k) internal metered(leases[k].job) {
        BookedAudit storage a = audits[i];
        Work memory holder = _workOf(k);
        bool alone = a.stage == Phase.Lapsed;
        uint256 closes = a.movedAt + _version(holder.t.rules.version()).revealWindow;
        if (_now() > closes) silent = 3;
        if (alone) silent &= 1;
        Said[] memory said = new Said[](alone ? 1 : 2);
        Bound[] memory bound = new Bound[](said.length);
        for (uint256 s; s < said.length; ++s) {
            Work memory w = s == 0 ? holder : _auditorOf(i);
            bound[s] = Bound(w.l.word(), w.l.commitment);
            said[s] = silent & (1 << s) != 0
                ? Said(w.l.word(), Result(0, 0, 0), w.l.commitment)
                : Said(w.l.word(), w.r, w.salt);
        }
        for (uint256 s; s < said.length; ++s) {
            if (silent & (1 << s) != 0) continue;
            market.revealSeat(holder.t.pack(), holder.l.first, bound, s, said[s].result, said[s].salt);
            said[s].salt = bound[s].commitment;
        }
        uint256 from = _now() + holder.t.window + 1;
        if (silent != 0 && from <= closes) from = closes + 1;
        vm.warp(from);
        market.agree(holder.t.pack(), holder.l.first, said);
        _bookAudit(i, k, silent);
    }

    /// @dev The rows of the table about two seats, and about one that was left alone.
    function _bookAudit(uint256 i, uint256 k, uint256 silent) private {
        BookedAudit storage a = audits[i];
        Terms memory t = terms[leases[k].job];
        bool alone = a.stage == Phase.Lapsed;
        (uint256 part, bool differ, bool computed) = _verdict(i, k, silent);
        uint256 bonus = a.bonus + _bookSeat(t, leases[k].l, silent & 1 != 0, part, differ);
        uint256 cost = silent & 1 == 0 ? part : 0;
        if (!alone) {
            bonus += _bookSeat(t, a.l, silent & 2 != 0, part, differ);
            uint256 paid = silent & 2 == 0 ? part : 0;
            if (a.pooled) balances[t.currency][treasury] += uint256(a.l.price) * a.l.count - paid;
            else cost += paid;
        }
        a.stage = Phase.None;
        (a.bonus, a.pooled) = (0, false);
        if (silent == (alone ? 1 : 3)) return _bookReopened(k, bonus);
        balances[address(dpu)][treasury] += bonus * 1e9;
        _bookRangeEnd(k, cost, computed);
    }

    /// @dev What each who speaks is paid, whether the two differ, and whether the range is computed.
    function _verdict(uint256 i, uint256 k, uint256 silent)
        private
        view
        returns (uint256 part, bool differ, bool computed)
    {
        BookedAudit storage a = audits[i];
        Result memory own = leases[k].r;
        bool free = terms[leases[k].job].window == 0;
        part = uint256(a.l.price) * a.l.count;
        differ = a.stage != Phase.Lapsed && silent == 0 && a.r.root != own.root;
        bool fault = _isFault(silent & 1 == 0 ? own : a.r);
        if (differ) part = free && (_isFault(a.r) || _isFault(own)) ? 0 : part / 2;
        else if (fault) part = free ? 0 : part / 2;
        computed = !differ && !fault;
    }

    /// @dev Pays or slashes one of the two; returns what it leaves to the range, in gwei.
    function _bookSeat(Terms memory t, Lease memory l, bool silent, uint256 part, bool differ)
        private
        returns (uint256 bonus)
    {
        if (silent) return l.bonus + _bookSlash(t, l.node, uint256(t.bond) * l.count);
        _bookPrice(t, l.node, part);
        if (differ) return l.bonus;
        balances[address(dpu)][_ownerOf(l.node)] += uint256(l.bonus) * 1e9;
    }

    /// @dev What is set aside for auditors beside the escrow of jobs.
    function _setAside(address currency) internal view returns (uint256 sum) {
        for (uint256 i; i < audits.length; ++i) {
            BookedAudit storage a = audits[i];
            bool here = a.pooled && terms[leases[a.lease].job].currency == currency;
            if (here) sum += uint256(a.l.price) * a.l.count;
        }
    }

    /// @dev Bonds of auditors that still may fail.
    function _auditorBonds(uint32 node) internal view returns (uint256 sum) {
        for (uint256 i; i < audits.length; ++i) {
            BookedAudit storage a = audits[i];
            bool living = a.stage == Phase.Claimed || a.stage == Phase.Committed;
            if (living && a.l.node == node) sum += uint256(terms[leases[a.lease].job].bond) * a.l.count;
        }
    }
}
