// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobState} from "src-contracts/types/Job.sol";
import {LeaseWordLib, Phase} from "src-contracts/types/Lease.sol";
import {PanelBooks} from "test/contracts/invariant/PanelBooks.sol";
import {Packing, Terms} from "test/contracts/lib/Readable.sol";

/// @dev Random lives of ranges with three or five seats, and what the table of outcomes says of each, kept in books of their own. Every call
/// must succeed. Jobs are in DPU and have one shard, or two ranges of one shard each.
abstract contract PanelHandler is PanelBooks {
    uint256 private clock;
    uint256 private height;

    modifier acts(bytes32 action, uint256 seed) {
        if (clock == 0) (clock, height) = (vm.getBlockTimestamp(), vm.getBlockNumber());
        vm.warp(clock + (seed >> 200) % 40);
        vm.roll(height + 2);
        if (tried[action]++ == 0) actions.push(action);
        _;
        (clock, height) = (vm.getBlockTimestamp(), vm.getBlockNumber());
    }

    /* OPENING */

    function actPost(uint256 seed) external acts("post", seed) {
        Terms memory t = _terms();
        (t.node, t.seats) = (0, seed % 3 == 0 ? 5 : 3);
        (t.shards, t.maxLease) = (seed >> 8) % 2 == 0 ? (1, 1) : (2, 1);
        t.window = (seed >> 16) % 2 == 0 ? 0 : 60;
        t.tolerant = (seed >> 17) % 4 == 0;
        t.maxPrice = uint96(1 + (seed >> 24) % 3e18);
        t.minPrice = uint96((seed >> 90) % t.maxPrice);
        t.exec = uint32(60 + (seed >> 130) % 600);
        bytes32 id = _post(t);
        jobs.push();
        Booked storage j = jobs[jobs.length - 1];
        (j.t, j.id, j.left) = (t, id, uint256(t.shards) * t.maxPrice * t.seats);
        balances[requester] -= j.left;
        ++done["post"];
    }

    /// @dev The drawn node takes the next range, or one that nobody holds any more.
    function actClaim(uint256 seed) external acts("claim", seed) {
        if (jobs.length == 0) return;
        uint256 index = seed % jobs.length;
        Booked storage j = jobs[index];
        if (j.over || vm.getBlockTimestamp() > j.t.expiry) return;
        uint256 r = _lapsedOf(index);
        Actor memory n = nodes[(seed >> 8) % nodes.length];
        uint32 first = r < ranges.length ? ranges[r].first : uint32(j.cursor);
        if (r == ranges.length && j.cursor == j.t.shards) return;
        (, uint40 from) = market.drawn(j.t.pack(), first, n.id);
        if (from == 0 || from > j.t.expiry || _free(n) < j.t.bond) return;
        if (from > _now()) vm.warp(from);
        vm.prank(n.operator);
        market.sit(j.t.pack(), first, 1, n.id, 0);
        if (r == ranges.length) {
            ranges.push();
            (ranges[r].job, ranges[r].first) = (index, first);
            ++j.cursor;
        }
        Range storage range = ranges[r];
        uint256 bonus = range.bonus;
        (range.seated, range.waiting, range.bonus) = (true, false, 0);
        (range.joinUntil, range.movedAt) = (_now() + 2 * uint256(j.t.exec), _now());
        delete range.seats;
        delete range.order;
        ++j.busy;
        _seatTaken(r, n, bonus);
        ++done["claim"];
    }

    function _lapsedOf(uint256 index) private view returns (uint256 r) {
        while (r < ranges.length && (ranges[r].job != index || !ranges[r].waiting)) ++r;
    }

    function _seatTaken(uint256 r, Actor memory n, uint256 bonus) private {
        Booked storage j = jobs[ranges[r].job];
        seats.push();
        Seat storage s = seats[seats.length - 1];
        (s.range, s.phase, s.at) = (r, Phase.Claimed, _now());
        Work memory w;
        (w.t, w.id, w.n) = (j.t, j.id, n);
        w.l = Packing.readable(_seatWordOf(j.id, ranges[r].first, n.id), ranges[r].first);
        w.salt = keccak256(abi.encode(seats.length));
        assertEq(w.l.bonus, bonus, "bonus");
        s.w = w;
        ranges[r].seats.push(seats.length - 1);
        locked[n.id] += j.t.bond;
    }

    /// @dev Half of those who join have computed already, and are bound at once.
    function actJoin(uint256 seed) external acts("join", seed) {
        (bool found, uint256 r) = _seatedRange(seed);
        if (!found) return;
        Booked storage j = jobs[ranges[r].job];
        Actor memory n = nodes[(seed >> 8) % nodes.length];
        (, uint40 from) = market.drawn(j.t.pack(), ranges[r].first, n.id);
        if (from == 0 || from > ranges[r].joinUntil || _free(n) < j.t.bond) return;
        if (from > _now()) vm.warp(from);
        uint256 bonus = ranges[r].bonus;
        ranges[r].bonus = 0;
        if ((seed >> 16) % 2 == 0) {
            vm.prank(n.operator);
            market.sit(j.t.pack(), ranges[r].first, 1, n.id, 0);
            _seatTaken(r, n, bonus);
        } else {
            _joinBound(r, n, bonus, seed >> 24);
            ++done["bound"];
        }
        ++done["join"];
    }

    function _joinBound(uint256 r, Actor memory n, uint256 bonus, uint256 seed) private {
        Booked storage j = jobs[ranges[r].job];
        Work memory w;
        (w.t, w.id, w.n) = (j.t, j.id, n);
        (w.salt, w.r) = (keccak256(abi.encode(seats.length + 1)), _answer(seed, seats.length));
        (w.l.first, w.l.count, w.l.node) = (ranges[r].first, 1, n.id);
        w.l.price = _priceIn(r);
        (w.l.bonus, w.l.deadline) = (uint64(bonus), uint40(_now() + j.t.exec));
        w.l.flags = LeaseWordLib.SEAT | (j.t.shards == 1 ? LeaseWordLib.SOLO : 0);
        w.l.commitment = _commitmentOf(w);
        vm.prank(n.operator);
        market.sit(j.t.pack(), ranges[r].first, 1, n.id, w.l.commitment);
        seats.push();
        Seat storage s = seats[seats.length - 1];
        (s.range, s.phase, s.at, s.w) = (r, Phase.Committed, _now(), w);
        ranges[r].seats.push(seats.length - 1);
        ranges[r].order.push(seats.length - 1);
        ranges[r].movedAt = _now();
        locked[n.id] += j.t.bond;
    }

    /// @dev Price of a seat now: the ramp from where this panel's began.
    function _priceIn(uint256 r) private view returns (uint96) {
        Terms memory t = jobs[ranges[r].job].t;
        uint256 passed = _now() - market.panel(jobs[ranges[r].job].id, ranges[r].first).rampFrom;
        if (passed >= t.ramp) return t.maxPrice;
        return uint96(t.minPrice + uint256(t.maxPrice - t.minPrice) * passed / t.ramp);
    }

    function _seatedRange(uint256 seed) private view returns (bool, uint256) {
        for (uint256 i; i < ranges.length; ++i) {
            uint256 r = (seed % ranges.length + i) % ranges.length;
            if (ranges[r].seated) return (true, r);
        }
        return (false, 0);
    }

    /* WORKING */

    function _seatIn(Phase phase, uint256 seed) private view returns (uint256) {
        for (uint256 i; i < seats.length; ++i) {
            uint256 k = (seed % seats.length + i) % seats.length;
            if (seats[k].phase == phase) return k;
        }
        return seats.length;
    }

    function actCommit(uint256 seed) external acts("commit", seed) {
        uint256 k = _seatIn(Phase.Claimed, seed);
        if (k == seats.length || _now() > seats[k].w.l.deadline) return;
        Work memory w = seats[k].w;
        w.r = _answer(seed >> 8, k);
        _commit(w);
        (seats[k].w, seats[k].phase, seats[k].at) = (w, Phase.Committed, _now());
        ranges[seats[k].range].movedAt = _now();
        ranges[seats[k].range].order.push(k);
        ++done["commit"];
    }

    function actLapse(uint256 seed) external acts("lapse", seed) {
        uint256 k = _seatIn(Phase.Claimed, seed);
        if (k == seats.length || ((seed >> 8) % 4 != 0 && _now() <= seats[k].w.l.deadline)) return;
        _lapseAt(k);
        ++done["lapse"];
    }

    function _lapseAt(uint256 k) internal {
        Work memory w = seats[k].w;
        if (_now() <= w.l.deadline) vm.warp(uint256(w.l.deadline) + 1);
        market.lapse(w.t.pack(), w.l.pack());
        Range storage r = ranges[seats[k].range];
        seats[k].phase = Phase.None;
        r.bonus += w.l.bonus + _slashed(w.n.id, w.t.bond, uint256(w.t.bond) / 5);
        r.movedAt = _now();
        for (uint256 i; i < r.seats.length; ++i) {
            if (r.seats[i] != k) continue;
            r.seats[i] = r.seats[r.seats.length - 1];
            r.seats.pop();
        }
        if (r.seats.length == 0) _freed(r);
    }

    function _committedAll(uint256 r) internal view returns (bool) {
        for (uint256 i; i < ranges[r].seats.length; ++i) {
            if (seats[ranges[r].seats[i]].phase == Phase.Claimed) return false;
        }
        return true;
    }

    /// @dev When reveals open; waits for the end of joining when not everybody sits.
    function _openReveal(uint256 r) private returns (bool, uint256 closes) {
        if (!_committedAll(r)) return (false, 0);
        Range storage range = ranges[r];
        uint256 opens = range.movedAt;
        if (range.seats.length < jobs[range.job].t.seats) {
            if (opens <= range.joinUntil) opens = range.joinUntil + 1;
        }
        if (_now() < opens) vm.warp(opens);
        return (true, opens + 10 minutes);
    }

    function actReveal(uint256 seed) external acts("reveal", seed) {
        uint256 k = _seatIn(Phase.Committed, seed);
        if (k == seats.length) return;
        (bool open, uint256 closes) = _openReveal(seats[k].range);
        if (!open || _now() > closes) return;
        (Work[] memory panel, uint256 i) = _panelOf(seats[k].range, k);
        _revealSeat(panel, i);
        (seats[k].phase, seats[k].at) = (Phase.Revealed, _now());
        ++done["reveal"];
    }

    function actAgree(uint256 seed) external acts("agree", seed) {
        (bool found, uint256 r) = _seatedRange(seed);
        if (!found || !_committedAll(r)) return;
        _agreeAt(r, (seed >> 8) % 2 == 0);
        ++done["agree"];
    }

    /* AGREEING */

    /// @dev Ends the panel: those who have not revealed do so now where the job allows it and `show` says so, else their time runs out first.
    function _agreeAt(uint256 r, bool show) internal {
        (, uint256 closes) = _openReveal(r);
        Booked storage j = jobs[ranges[r].job];
        (Work[] memory panel,) = _panelOf(r, 0);
        bool[] memory silent = new bool[](panel.length);
        uint256 held;
        bool someSilent;
        show = show && j.t.window == 0 && _now() <= closes;
        for (uint256 i; i < panel.length; ++i) {
            Seat storage s = seats[ranges[r].order[i]];
            if (s.phase == Phase.Revealed) {
                if (s.at + j.t.window > held) held = s.at + j.t.window;
            } else if (show) {
                s.phase = Phase.Revealed;
            } else {
                silent[i] = someSilent = true;
            }
        }
        if (someSilent && _now() <= closes) vm.warp(closes + 1);
        if (j.t.window != 0 && _now() <= held) vm.warp(held + 1);
        market.agree(j.t.pack(), ranges[r].first, _said(panel, silent));
        _bookEnd(ranges[r], j, panel);
    }

    /// @dev The seats of a panel in their order, and where in it seat `k` is.
    function _panelOf(uint256 r, uint256 k) private view returns (Work[] memory panel, uint256 at) {
        panel = new Work[](ranges[r].order.length);
        for (uint256 i; i < panel.length; ++i) {
            panel[i] = seats[ranges[r].order[i]].w;
            if (ranges[r].order[i] == k) at = i;
        }
    }

    function actClose(uint256 seed) external acts("close", seed) {
        if (jobs.length == 0) return;
        uint256 index = seed % jobs.length;
        Booked storage j = jobs[index];
        if (j.over || j.busy != 0 || ((seed >> 8) % 8 != 0 && _now() <= j.t.expiry)) return;
        _closeAt(index);
        ++done["close"];
    }

    function _closeAt(uint256 index) internal {
        Booked storage j = jobs[index];
        if (_now() <= j.t.expiry) vm.warp(uint256(j.t.expiry) + 1);
        market.close(j.t.pack());
        _bookOver(j);
    }

    function _isOver(bytes32 id) internal view returns (bool) {
        JobState state = market.job(id).state;
        return state == JobState.Complete || state == JobState.Closed;
    }
}
