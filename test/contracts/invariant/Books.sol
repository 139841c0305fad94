// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {LeaseLib, Phase, Result} from "src-contracts/types/Lease.sol";
import {Params} from "src-contracts/types/Params.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Lease, Terms} from "test/contracts/lib/Readable.sol";

/// @dev The Market's rules a second time, in the plainest words: who owns what after each call. It never asks the Market
/// what happened; invariants compare the two.
abstract contract Books is MarketTest {
    enum State {
        Open,
        Cancelled,
        Complete,
        Closed
    }

    struct BookedJob {
        bytes32 id;
        State state;
        uint256 postedAt;
        uint256 endedAt;
        uint256 cursor;
        uint256 busy;
        uint256 done;
        /// Escrow not paid out; and all that ever came in and went out, by the Market's own balances.
        uint256 left;
        uint256 moneyIn;
        uint256 moneyOut;
        uint256 timesEnded;
    }

    struct BookedLease {
        uint256 job;
        Phase phase;
        uint256 at;
        uint256 from;
        bytes32 salt;
        Lease l;
        Result r;
        uint256 timesPaid;
    }

    BookedJob[] internal jobs;
    Terms[] internal terms;
    BookedLease[] internal leases;
    Actor[] internal nodes;
    address[] internal users;
    address[] internal currencies;

    mapping(address currency => mapping(address user => uint256)) internal balances;
    mapping(address currency => uint256) internal fees;
    mapping(address currency => uint256) internal donated;
    mapping(uint32 node => uint256) internal stakes;
    uint256 internal burnt;

    /// @dev A short draw, so that waiting for it does not end everyone else's lease.
    function _params() internal view virtual override returns (Params memory p) {
        p = super._params();
        (p.drawStep, p.drawOpenAfter, p.auditRates) = (5, 100, 0xaaa8);
    }

    /* RULES */

    function _bookEscrow(Terms memory t, bytes32 id) internal returns (uint256 index) {
        uint256 worst = t.shards * _worstShard(t);
        balances[t.currency][t.requester] -= worst;
        index = jobs.length;
        jobs.push();
        terms.push(t);
        BookedJob storage j = jobs[index];
        (j.id, j.postedAt, j.left) = (id, _now(), worst);
    }

    /// @dev Most that one shard can cost: with an auditor where the requester buys audits.
    function _worstShard(Terms memory t) internal pure returns (uint256) {
        return t.auditBps == 0 ? t.maxPrice : 2 * uint256(t.maxPrice);
    }

    function _fault() internal pure returns (Result memory) {
        return Result(LeaseLib.SPEC_FAULT, 0, 0);
    }

    function _isFault(Result memory r) internal pure returns (bool) {
        return r.root == LeaseLib.SPEC_FAULT;
    }

    function _bookClaim(uint256 index, Lease memory l, uint256 from) internal {
        BookedJob storage j = jobs[index];
        if (l.first == j.cursor) j.cursor += l.count;
        j.busy += l.count;
        leases.push();
        BookedLease storage b = leases[leases.length - 1];
        (b.job, b.phase, b.at, b.from, b.l) = (index, Phase.Claimed, _now(), from, l);
        b.r = leases.length % 7 == 0 ? _fault() : _result(string(abi.encode(j.id, l.first, leases.length)));
        b.salt = keccak256(abi.encode(leases.length));
    }

    /// @dev By signature all of the price, whatever was found; else half of it for a fault that could have been challenged, and nothing for another:
    /// the shards go to another node.
    function _bookPayment(uint256 k, bool accepted) internal {
        BookedLease storage b = leases[k];
        Terms memory t = terms[b.job];
        uint256 gross = uint256(b.l.price) * b.l.count;
        bool fault = !accepted && _isFault(b.r);
        if (fault && t.window == 0) return _bookReopened(k, b.l.bonus);
        if (fault) gross /= 2;
        _bookPrice(t, b.l.node, gross);
        balances[address(dpu)][_ownerOf(b.l.node)] += uint256(b.l.bonus) * 1e9;
        _bookRangeEnd(k, gross, !fault);
    }

    /// @dev Takes a range that cost `gross` out of its job; a whole job that was not computed closes with it.
    function _bookRangeEnd(uint256 k, uint256 gross, bool computed) internal {
        BookedLease storage b = leases[k];
        BookedJob storage j = jobs[b.job];
        Terms memory t = terms[b.job];
        j.left -= gross;
        j.busy -= b.l.count;
        if (computed) j.done += b.l.count;
        b.phase = Phase.None;
        ++b.timesPaid;
        if (j.done == t.shards) _bookEnd(b.job, State.Complete);
        else if (b.l.count == t.shards) _bookEnd(b.job, State.Closed);
        else if (j.busy == 0 && (j.state == State.Cancelled || _now() > t.expiry)) _bookEnd(b.job, State.Closed);
    }

    function _bookPrice(Terms memory t, uint32 node, uint256 gross) internal {
        uint256 fee = gross * _version(t.rules.version()).feeBps / 10_000;
        fees[t.currency] += fee;
        balances[t.currency][_ownerOf(node)] += gross - fee;
    }

    function _bookEnd(uint256 index, State state) internal {
        BookedJob storage j = jobs[index];
        balances[terms[index].currency][terms[index].requester] += j.left;
        (j.left, j.state, j.endedAt) = (0, state, _now());
        ++j.timesEnded;
    }

    function _bookLapse(uint256 k) internal {
        BookedLease storage b = leases[k];
        Terms memory t = terms[b.job];
        Params memory p = _version(t.rules.version());
        uint256 lost = uint256(t.bond) * b.l.count;
        if (b.phase == Phase.Claimed) lost = lost * p.noShowBps / 10_000;
        _bookReopened(k, b.l.bonus + _bookSlash(t, b.l.node, lost));
    }

    /// @dev Books a slash, and returns what of it funds a retry, in gwei.
    function _bookSlash(Terms memory t, uint32 node, uint256 lost) internal returns (uint256 retry) {
        Params memory p = _version(t.rules.version());
        retry = lost * p.retryBps / 10_000 / 1e9;
        uint256 burn = lost * p.burnBps / 10_000;
        burnt += burn;
        stakes[node] -= lost;
        balances[address(dpu)][treasury] += lost - burn - retry * 1e9;
    }

    /// @dev Gives the range of lease `k` back to its job, with `bonus` gwei for whoever takes it over.
    function _bookReopened(uint256 k, uint256 bonus) internal {
        BookedLease storage b = leases[k];
        BookedJob storage j = jobs[b.job];
        Terms memory t = terms[b.job];
        b.l.bonus = uint64(bonus);
        j.busy -= b.l.count;
        (b.phase, b.at) = (Phase.Lapsed, _now());
        if (b.l.count == t.shards) j.postedAt = _now();
        if (j.state == State.Cancelled && j.busy == 0) _bookEnd(b.job, State.Closed);
    }

    /// @dev Price of a shard by the definition of the ramp.
    function _ramp(Terms memory t, uint256 from) internal view returns (uint256) {
        uint256 passed = _now() > from ? _now() - from : 0;
        if (passed == 0) return t.minPrice;
        if (passed >= t.ramp) return t.maxPrice;
        return t.minPrice + uint256(t.maxPrice - t.minPrice) * passed / t.ramp;
    }

    /// @dev When the ramp of a first claim begins.
    function _opens(uint256 index) internal view returns (uint256 from) {
        Terms memory t = terms[index];
        from = t.start != 0 ? t.start : jobs[index].postedAt;
        uint256 earlier = _find(t.afterJob);
        if (earlier < jobs.length && jobs[earlier].endedAt > from) from = jobs[earlier].endedAt;
    }

    /* LOOKING UP */

    function _find(bytes32 id) internal view returns (uint256 index) {
        while (index < jobs.length && jobs[index].id != id) ++index;
    }

    function _nodeAt(uint256 seed) internal view returns (Actor memory) {
        return nodes[seed % nodes.length];
    }

    function _byId(uint32 id) internal view returns (Actor memory) {
        return nodes[id - 1];
    }

    function _ownerOf(uint32 id) internal view returns (address) {
        return nodes[id - 1].owner;
    }

    /// @dev The two versions that handlers post with; the second is harsher in every number.
    function _version(uint16 version) internal view returns (Params memory p) {
        p = _params();
        if (version == 1) return p;
        (p.feeBps, p.noShowBps, p.burnBps, p.retryBps, p.auditRates) = (777, 3_333, 1_111, 8_888, 0xfffc);
    }

    /// @dev A lease in `phase`, searched from a random place; `leases.length` when there is none.
    function _leaseIn(Phase phase, uint256 seed) internal view returns (uint256) {
        for (uint256 i; i < leases.length; ++i) {
            uint256 k = (seed % leases.length + i) % leases.length;
            if (leases[k].phase == phase) return k;
        }
        return leases.length;
    }

    /// @dev A lapsed lease of a job that is open to every node and not expired, or `leases.length`.
    function _leaseToTakeOver(uint256 seed) internal view returns (uint256) {
        for (uint256 i; i < leases.length; ++i) {
            uint256 k = (seed % leases.length + i) % leases.length;
            uint256 index = leases[k].job;
            bool open = jobs[index].state == State.Open && terms[index].node == 0 && _now() <= terms[index].expiry;
            if (leases[k].phase == Phase.Lapsed && open) return k;
        }
        return leases.length;
    }

    /// @dev An open job with shards left to claim, or `jobs.length`.
    function _jobIn(State state, bool claimable, uint256 seed) internal view returns (uint256) {
        for (uint256 i; i < jobs.length; ++i) {
            uint256 k = (seed % jobs.length + i) % jobs.length;
            if (jobs[k].state == state && (!claimable || jobs[k].cursor < terms[k].shards)) return k;
        }
        return jobs.length;
    }

    /// @dev Everything that calldata needs for lease `k`.
    function _workOf(uint256 k) internal view returns (Work memory w) {
        BookedLease storage b = leases[k];
        w.t = terms[b.job];
        w.id = jobs[b.job].id;
        w.n = _byId(b.l.node);
        (w.l, w.r, w.salt) = (b.l, b.r, b.salt);
    }
}
