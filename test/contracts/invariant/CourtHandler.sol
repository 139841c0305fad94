// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Bound, Said} from "src-contracts/interfaces/IPanels.sol";
import {DisputeState, Shard, ShardLib, Testimony, Verdict} from "src-contracts/types/Dispute.sol";
import {LeaseLib, LeaseWord, LeaseWordLib, Phase, Result} from "src-contracts/types/Lease.sol";
import {Params} from "src-contracts/types/Params.sol";
import {CourtBooks} from "test/contracts/invariant/CourtBooks.sol";
import {Lease, Packing, Terms} from "test/contracts/lib/Readable.sol";

/// @dev How work comes before the court and leaves it: leases of a whole job and of a part, panels of three on a whole job and on a part. Every
/// call must succeed.
abstract contract CourtHandler is CourtBooks {
    uint256 internal constant WINDOW = 30 minutes;

    uint256 private clock;
    uint256 private height;

    modifier acts(bytes32 action, uint256 seed) {
        if (clock == 0) (clock, height) = (vm.getBlockTimestamp(), vm.getBlockNumber());
        vm.warp(clock + (seed >> 200) % 20);
        vm.roll(height + 2);
        if (tried[action]++ == 0) actions.push(action);
        _;
        (clock, height) = (vm.getBlockTimestamp(), vm.getBlockNumber());
    }

    /// @dev Everyone is drawn after a second: the campaign is about what is decided, not who comes.
    function _params() internal view override returns (Params memory p) {
        p = super._params();
        (p.drawStep, p.drawOpenAfter) = (1, 1);
    }

    function _free(Actor memory n) internal view returns (uint256) {
        return stakes[n.id] - locked[n.id];
    }

    /* WORK */

    function actPost(uint256 seed) external acts("post", seed) {
        Terms memory t = _terms(1);
        // Whole or in parts, one seat or three.
        t.maxLease = 1;
        if (seed % 4 == 0) (t.shards, t.maxLease) = (2, 2);
        if (seed % 4 == 1) (t.shards, t.maxLease) = (4, 2);
        if (seed % 4 == 2) (t.shards, t.maxLease) = (2, 1);
        if (seed % 4 >= 2) t.seats = 3;
        t.node = 0;
        t.expiry = uint40(_now() + 6 hours);
        t.bond = uint96(BOND + (seed >> 8) % 1_000);
        t.maxPrice = t.minPrice = uint96(1 + (seed >> 24) % PRICE);
        vm.prank(requester);
        bytes32 id = market.post(t.pack());
        jobs.push();
        BookedJob storage j = jobs[jobs.length - 1];
        (j.t, j.id, j.openAt) = (t, id, _now());
        j.left = uint256(t.shards) * t.seats * t.maxPrice;
        balances[requester] -= j.left;
        ++done["post"];
    }

    /// @dev Takes the next range, or one that nobody holds any more, and shows what was computed.
    function actWork(uint256 seed) external acts("work", seed) {
        if (jobs.length == 0) return;
        uint256 index = seed % jobs.length;
        BookedJob storage j = jobs[index];
        uint256 r = _waitingOf(index);
        if (j.over || j.cancelled || _now() + 60 > j.t.expiry) return;
        if (r == ranges.length && j.cursor == j.t.shards) return;
        if (r == ranges.length) {
            ranges.push();
            (ranges[r].job, ranges[r].first) = (index, uint32(j.cursor));
            j.cursor += j.t.maxLease;
        }
        vm.warp(_now() + 2);
        delete ranges[r].claims;
        if (j.t.seats == 1) _lease(j, r, seed >> 8);
        else _panel(j, r, seed >> 8);
        j.busy += j.t.maxLease;
        (ranges[r].living, ranges[r].waiting, ranges[r].bonus) = (true, false, 0);
        ++done["work"];
    }

    function _waitingOf(uint256 index) private view returns (uint256 r) {
        while (r < ranges.length && (ranges[r].job != index || !ranges[r].waiting)) ++r;
    }

    /// @dev The next node, from a random one on, that may take a place on a range.
    function _drawn(BookedJob storage j, uint256 r, uint256 from) private view returns (Actor memory n) {
        for (uint256 i; i < nodes.length; ++i) {
            n = nodes[(from + i) % nodes.length];
            (bool now_,) = market.drawn(j.t.pack(), ranges[r].first, n.id);
            if (now_ && _free(n) >= uint256(j.t.bond) * j.t.maxLease) return n;
        }
        revert("nobody is drawn");
    }

    function _begun(BookedJob storage j, uint256 r, Actor memory n) private returns (Claim storage c) {
        claims.push();
        c = claims[claims.length - 1];
        (c.range, c.n) = (r, n);
        ranges[r].claims.push(claims.length - 1);
        c.salt = bytes32(claims.length);
        (c.l.first, c.l.count, c.l.node, c.l.price) = (ranges[r].first, j.t.maxLease, n.id, j.t.maxPrice);
        c.l.deadline = uint40(_now() + j.t.exec);
        c.l.flags = j.t.maxLease == j.t.shards ? LeaseWordLib.SOLO : 0;
        locked[n.id] += uint256(j.t.bond) * j.t.maxLease;
    }

    function _lease(BookedJob storage j, uint256 r, uint256 seed) private {
        Actor memory n = _drawn(j, r, seed);
        Claim storage c = _begun(j, r, n);
        c.l.bonus = uint64(ranges[r].bonus);
        vm.prank(n.operator);
        if (ranges[r].waiting) market.takeOver(j.t.pack(), c.l.first, n.id);
        else market.claim(j.t.pack(), n.id, c.l.count);
        c.r = (seed >> 8) % 4 == 0 ? Result(LeaseLib.SPEC_FAULT, 0, 0) : _resultOf(c.l, claims.length);
        c.l.commitment = market.commitmentOf(j.id, c.l.first, 0, n.id, c.r, c.salt);
        vm.prank(n.operator);
        market.commit(j.id, c.l.pack(), c.l.commitment);
        c.l.committedBlock = uint40(vm.getBlockNumber());
        market.reveal(j.t.pack(), c.l.pack(), c.r, c.salt);
        (c.phase, c.at) = (Phase.Revealed, _now());
    }

    /// @dev Three sit, each bound at once, and show. Half of them say the same; else a lie that two may share, or that it cannot be done.
    function _panel(BookedJob storage j, uint256 r, uint256 seed) private {
        uint256 from = claims.length;
        for (uint256 i; i < 3; ++i) {
            Actor memory n = _drawn(j, r, seed >> (8 * i));
            Claim storage c = _begun(j, r, n);
            c.l.flags |= LeaseWordLib.SEAT;
            if (i == 0) c.l.bonus = uint64(ranges[r].bonus);
            uint256 answer = (seed >> (32 + 8 * i)) % 8;
            c.r = answer == 7 ? Result(LeaseLib.SPEC_FAULT, 0, 0) : _resultOf(c.l, answer < 5 ? 0 : answer);
            c.l.commitment = market.commitmentOf(j.id, c.l.first, 0, n.id, c.r, c.salt);
            vm.prank(n.operator);
            market.sit(j.t.pack(), c.l.first, 1, n.id, c.l.commitment);
        }
        Bound[] memory bound = new Bound[](3);
        for (uint256 i; i < 3; ++i) {
            bound[i] = Bound(claims[from + i].l.word(), claims[from + i].l.commitment);
        }
        for (uint256 i; i < 3; ++i) {
            Claim storage c = claims[from + i];
            market.revealSeat(j.t.pack(), c.l.first, bound, i, c.r, c.salt);
            (c.phase, c.at) = (Phase.Revealed, _now());
        }
    }

    /* RESULTS: one leaf, or two */

    function _hashOf(uint256 answer, uint32 index) private pure returns (bytes32) {
        return keccak256(abi.encode("shard", answer, index));
    }

    function _resultOf(Lease storage l, uint256 answer) private view returns (Result memory) {
        bytes32 root = ShardLib.leaf(l.first, _hashOf(answer, l.first), 7);
        if (l.count == 2) {
            bytes32 other = ShardLib.leaf(l.first + 1, _hashOf(answer, l.first + 1), 7);
            root = root < other ? keccak256(abi.encode(root, other)) : keccak256(abi.encode(other, root));
        }
        return Result(root, uint64(7 * uint256(l.count)), bytes32(answer));
    }

    /// @dev The shard at `index` of a claim, as its holder showed it; `manifest` says which answer it was.
    function _shardOf(Claim storage c, uint32 index) internal view returns (Shard memory s) {
        s.index = index;
        s.proof = new bytes32[](_isFault(c) ? 0 : c.l.count - 1);
        if (_isFault(c)) return s;
        (s.hash, s.units) = (_hashOf(uint256(c.r.manifest), index), 7);
        uint32 other = 2 * c.l.first + 1 - index;
        if (c.l.count == 2) s.proof[0] = ShardLib.leaf(other, _hashOf(uint256(c.r.manifest), other), 7);
    }

    /* ENDING WORK */

    function _claimIn(Phase phase, uint256 seed) internal view returns (uint256) {
        for (uint256 i; i < claims.length; ++i) {
            uint256 k = (seed % claims.length + i) % claims.length;
            if (claims[k].phase == phase) return k;
        }
        return claims.length;
    }

    function actSettle(uint256 seed) external acts("settle", seed) {
        uint256 k = _claimIn(Phase.Revealed, seed);
        if (k == claims.length || _isSeat(claims[k])) return;
        if ((seed >> 8) % 2 != 0 && _now() <= claims[k].at + WINDOW) return;
        _settleAt(claims[k]);
        ++done["settle"];
    }

    function _settleAt(Claim storage c) internal {
        BookedJob storage j = jobs[ranges[c.range].job];
        if (_now() <= c.at + WINDOW) vm.warp(c.at + WINDOW + 1);
        Lease[] memory leases = new Lease[](1);
        Result[] memory results = new Result[](1);
        (leases[0], results[0]) = (c.l, c.r);
        market.settle(j.t.pack(), Packing.pack(leases), results);
        uint256 gross = uint256(c.l.price) * c.l.count;
        if (_isFault(c)) gross /= 2;
        j.left -= gross;
        _bookPay(c.n.owner, gross);
        balances[c.n.owner] += uint256(c.l.bonus) * 1e9;
        locked[c.n.id] -= uint256(j.t.bond) * c.l.count - c.taken;
        c.phase = Phase.None;
        _bookRangeEnd(ranges[c.range], c.l.count, !_isFault(c));
    }

    function actAgree(uint256 seed) external acts("agree", seed) {
        if (ranges.length == 0) return;
        Range storage r = ranges[seed % ranges.length];
        if (!_canAgree(r) || ((seed >> 8) % 2 != 0 && _now() <= _heldOf(r))) return;
        _agreeAt(r);
        ++done["agree"];
    }

    function _canAgree(Range storage r) internal view returns (bool) {
        if (!r.living || r.claims.length != 3) return false;
        for (uint256 i; i < 3; ++i) {
            if (claims[r.claims[i]].phase == Phase.Disputed) return false;
        }
        return true;
    }

    /// @dev All three show in the same second.
    function _heldOf(Range storage r) private view returns (uint256) {
        return claims[r.claims[0]].at + WINDOW;
    }

    function _agreeAt(Range storage r) internal {
        if (_now() <= _heldOf(r)) vm.warp(_heldOf(r) + 1);
        Said[] memory said = new Said[](3);
        for (uint256 i; i < 3; ++i) {
            Claim storage c = claims[r.claims[i]];
            said[i] = Said(c.l.word(), c.r, c.l.commitment);
        }
        market.agree(jobs[r.job].t.pack(), r.first, said);
        _bookPanel(r);
    }

    /* ENDING JOBS */

    function actCancel(uint256 seed) external acts("cancel", seed) {
        if (jobs.length == 0 || seed % 4 != 0) return;
        BookedJob storage j = jobs[(seed >> 8) % jobs.length];
        if (j.over || j.cancelled || (j.busy != 0 && j.t.maxLease == j.t.shards)) return;
        if (_now() < j.openAt + 60) vm.warp(j.openAt + 60);
        vm.prank(requester);
        market.cancel(j.t.pack());
        ++done["cancel"];
        j.cancelled = true;
        if (j.busy == 0) return _bookOver(j);
        uint256 kept = j.busy * j.t.seats * j.t.maxPrice - _excusedOf((seed >> 8) % jobs.length);
        balances[requester] += j.left - kept;
        j.left = kept;
    }

    /// @dev What a job has paid for seats of panels that still stand; its own word says so when they end.
    function _excusedOf(uint256 index) internal view returns (uint256 sum) {
        for (uint256 k; k < claims.length; ++k) {
            if (claims[k].paid != 0 && ranges[claims[k].range].job == index) sum += claims[k].paid;
        }
    }

    function actClose(uint256 seed) external acts("close", seed) {
        if (jobs.length == 0) return;
        BookedJob storage j = jobs[seed % jobs.length];
        if (j.over || j.cancelled || j.busy != 0 || ((seed >> 8) % 4 != 0 && _now() <= j.t.expiry)) return;
        _closeAt(j);
        ++done["close"];
    }

    function _closeAt(BookedJob storage j) internal {
        if (_now() <= j.t.expiry) vm.warp(uint256(j.t.expiry) + 1);
        market.close(j.t.pack());
        _bookOver(j);
    }
}
