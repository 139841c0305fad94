// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Phase, Result} from "src-contracts/types/Lease.sol";
import {Params} from "src-contracts/types/Params.sol";
import {Rules} from "src-contracts/types/Rules.sol";
import {Books} from "test/contracts/invariant/Books.sol";
import {Lease, Packing, Terms} from "test/contracts/lib/Readable.sol";

/// @dev Turns random numbers into calls that must succeed; a revert is a finding. Every action books what the rules say.
abstract contract Handler is Books {
    mapping(bytes32 action => uint256) internal tried;
    mapping(bytes32 action => uint256) internal succeeded;
    bytes32[] internal actions;

    uint256 private clock;
    uint256 private height;
    uint64 private salts;

    /// @dev Time goes on by up to two minutes a call; kept here, because not every runner keeps a warp between calls.
    modifier acts(bytes32 action, uint256 seed) {
        if (clock == 0) (clock, height) = (vm.getBlockTimestamp(), vm.getBlockNumber());
        vm.warp(clock + (seed >> 200) % 120);
        vm.roll(height + 1 + (seed >> 190) % 3);
        if (tried[action]++ == 0) actions.push(action);
        _;
        (clock, height) = (vm.getBlockTimestamp(), vm.getBlockNumber());
    }

    function _wait(uint256 until) private {
        if (until > _now()) vm.warp(until);
    }

    /// @dev Whether the node is drawn, now or within the job's time; waits for it if so.
    function _waitForDraw(Terms memory t, uint256 first, Actor memory n) private returns (bool) {
        vm.roll(vm.getBlockNumber() + 2);
        (bool now_, uint40 from) = market.drawn(t.pack(), uint32(first), n.id);
        if (!now_ && (from == 0 || from > t.expiry)) return false;
        _wait(from);
        return true;
    }

    /// @dev Runs an action on a job and notes what the Market's own balances say went into it and came out of it.
    modifier metered(uint256 index) {
        uint256 before = _spread(terms[index].currency);
        _;
        uint256 now_ = _spread(terms[index].currency);
        if (now_ > before) jobs[index].moneyOut += now_ - before;
        else jobs[index].moneyIn += before - now_;
    }

    /// @dev All free balances and fees, so that what is missing is in escrow. Bonuses and slashes of DPU are left out by the
    /// callers' choice of job currency: `metered` jobs are paid in the other one.
    function _spread(address currency) private view returns (uint256 sum) {
        sum = _fees(currency);
        for (uint256 i; i < users.length; ++i) {
            sum += market.balanceOf(currency, users[i]);
        }
    }

    /* MONEY */

    function actDeposit(uint256 seed) external acts("deposit", seed) {
        address currency = currencies[seed % 2];
        address user = users[(seed >> 8) % users.length];
        uint256 amount = 1 + (seed >> 16) % (currency == address(dpu) ? 1_000e18 : 1_000e6);
        market.deposit(currency, user, amount);
        balances[currency][user] += amount;
        ++succeeded["deposit"];
    }

    function actWithdraw(uint256 seed) external acts("withdraw", seed) {
        address currency = currencies[seed % 2];
        address user = users[(seed >> 8) % users.length];
        uint256 amount = balances[currency][user];
        if (amount == 0) return;
        amount = 1 + (seed >> 16) % amount;
        vm.prank(user);
        market.withdraw(currency, address(0xcafe), amount);
        balances[currency][user] -= amount;
        ++succeeded["withdraw"];
    }

    function actDonate(uint256 seed) external acts("donate", seed) {
        dpu.transfer(address(market), seed % 1e18);
        donated[address(dpu)] += seed % 1e18;
        ++succeeded["donate"];
    }

    function actCollectFees(uint256 seed) external acts("collectFees", seed) {
        address currency = currencies[seed % 2];
        if (fees[currency] == 0) return;
        market.collectFees(currency, users);
        balances[currency][treasury] += fees[currency];
        fees[currency] = 0;
        ++succeeded["collectFees"];
    }

    /* POSTING */

    function _drawnUp(uint256 seed) private returns (Terms memory t) {
        t = seed % 3 == 0 ? _direct() : _terms();
        t.salt = (1 << 32) | ++salts; // apart from the helpers' own
        t.shards = uint32(1 + (seed >> 8) % 7);
        t.maxLease = uint16(1 + (seed >> 16) % 7);
        t.ramp = uint32((seed >> 24) % 1_000);
        t.window = uint32((seed >> 32) % 600);
        t.exec = uint32(200 + (seed >> 40) % 3_000);
        t.expiry = uint40(_now() + (seed >> 48) % 10_000);
        t.maxPrice = uint96(1 + (seed >> 56) % 3e18);
        t.minPrice = uint96((seed >> 64) % (uint256(t.maxPrice) + 1));
        t.bond = 4 * t.maxPrice + uint96((seed >> 72) % 1e18);
        t.node = (seed >> 80) % 4 != 0 ? 0 : nodes[(seed >> 88) % nodes.length].id;
        t.rules = _newest();
        if (!t.direct) t.auditBps = uint16((seed >> 96) % 5_000);
        if ((seed >> 104) % 2 == 0) {
            (t.currency, t.maxPrice, t.minPrice) = (address(usd), t.maxPrice / 1e12 + 1, t.minPrice / 1e12);
        }
        if ((seed >> 112) % 4 == 0) t.start = uint40(_now());
        uint256 earlier = jobs.length == 0 ? 0 : (seed >> 120) % jobs.length;
        bool possible = jobs.length > 0 && (jobs[earlier].state == State.Complete || jobs[earlier].state == State.Open);
        if (possible && (seed >> 128) % 4 == 0) t.afterJob = jobs[earlier].id;
    }

    function _newest() private view returns (Rules newest) {
        (newest,,,,) = market.config();
    }

    function _isRunning() internal view returns (bool) {
        (, uint40 until,,,) = market.config();
        return _now() > until;
    }

    function _affordable(Terms memory t) private view returns (bool) {
        return balances[t.currency][t.requester] >= t.shards * _worstShard(t);
    }

    function actPost(uint256 seed) external acts("post", seed) {
        Terms memory t = _drawnUp(seed);
        if (!_isRunning() || !_affordable(t)) return;
        bytes32 id = _post(t);
        _postMeter(_bookEscrow(t, id), t.shards * _worstShard(t));
        ++succeeded["post"];
    }

    function _postMeter(uint256 index, uint256 worst) private {
        jobs[index].moneyIn += worst;
    }

    function actClaimOrder(uint256 seed) external acts("claimOrder", seed) {
        Terms memory t = _drawnUp(seed);
        Actor memory n = t.node == 0 ? _nodeAt(seed >> 140) : _byId(t.node);
        uint16 count = uint16(1 + (seed >> 150) % t.maxLease);
        bool ready = t.afterJob == 0 || jobs[_find(t.afterJob)].state == State.Complete;
        if (!_isRunning() || !_affordable(t) || !ready || !_canLock(n, t, count, 0)) return;
        bytes memory order = _order(t);
        vm.prank(n.operator);
        market.claimOrder(t.pack(), order, n.id, count);
        uint256 index = _bookEscrow(t, market.jobId(t.pack()));
        _postMeter(index, t.shards * _worstShard(t));
        _booked(index, n, 0, count, _opens(index), 0);
        ++succeeded["claimOrder"];
    }

    function actSettleOrder(uint256 seed) external acts("settleOrder", seed) {
        Terms memory t = _drawnUp(seed);
        Actor memory n = t.node == 0 ? _nodeAt(seed >> 140) : _byId(t.node);
        bool ready = t.afterJob == 0 || jobs[_find(t.afterJob)].state == State.Complete;
        if (!_isRunning() || !_affordable(t) || !ready) return;
        Result memory r = _result("order");
        bytes memory order = _order(t);
        bytes memory acceptance = _acceptance(t, 0, n.id, r);
        market.settleOrder(t.pack(), order, n.id, r, acceptance);
        uint256 index = _bookEscrow(t, market.jobId(t.pack()));
        uint256 gross = _ramp(t, _opens(index)) * t.shards;
        _bookPrice(t, n.id, gross);
        jobs[index].left -= gross;
        (jobs[index].cursor, jobs[index].done) = (t.shards, t.shards);
        _bookEnd(index, State.Complete);
        ++succeeded["settleOrder"];
    }

    /* WORKING */

    function _canLock(Actor memory n, Terms memory t, uint256 count, uint256 first) internal view returns (bool) {
        if (count > t.shards - first) count = t.shards - first;
        uint256 queued = market.node(n.id).queued;
        return stakes[n.id] - queued >= 1_000e18 && _free(n) >= uint256(t.bond) * count;
    }

    function _booked(uint256 index, Actor memory n, uint256 first, uint256 count, uint256 from, uint64 bonus) private {
        Terms memory t = terms[index];
        if (count > t.shards - first) count = t.shards - first;
        Lease memory l;
        (l.first, l.count, l.node, l.bonus) = (uint32(first), uint16(count), n.id, bonus);
        l.price = uint96(_ramp(t, from));
        l.deadline = uint40(_now() + t.exec);
        l.flags = Packing.flagsOf(t, count);
        _bookClaim(index, l, from);
    }

    function actClaim(uint256 seed) external acts("claim", seed) {
        uint256 index = _jobIn(State.Open, true, seed);
        if (index == jobs.length || !_isRunning()) return;
        Terms memory t = terms[index];
        Actor memory n = t.node == 0 ? _nodeAt(seed >> 8) : _byId(t.node);
        uint256 first = jobs[index].cursor;
        uint16 count = uint16(1 + (seed >> 16) % t.maxLease);
        if (!_canLock(n, t, count, first) || !_waitForDraw(t, first, n)) return;
        vm.prank(n.operator);
        assertEq(market.claim(t.pack(), n.id, count), first, "cursor");
        _booked(index, n, first, count, _opens(index), 0);
        ++succeeded["claim"];
    }

    function actTakeOver(uint256 seed) external acts("takeOver", seed) {
        uint256 k = _leaseToTakeOver(seed);
        if (k == leases.length || !_isRunning()) return;
        BookedLease storage b = leases[k];
        Terms memory t = terms[b.job];
        Actor memory n = _nodeAt(b.l.node + (seed >> 8) % 3); // any but the one that failed
        if (!_canLock(n, t, b.l.count, 0)) return;
        if (!_waitForDraw(t, b.l.first, n)) return;
        vm.prank(n.operator);
        market.takeOver(t.pack(), b.l.first, n.id);
        b.phase = Phase.None;
        _booked(b.job, n, b.l.first, b.l.count, b.at, b.l.bonus);
        ++succeeded["takeOver"];
    }

    function actCommit(uint256 seed) external acts("commit", seed) {
        uint256 k = _leaseIn(Phase.Claimed, seed);
        if (k == leases.length || _now() > leases[k].l.deadline) return;
        Work memory w = _workOf(k);
        if (w.t.direct) {
            _submit(w);
            leases[k].phase = Phase.Revealed;
        } else {
            _commit(w);
            (leases[k].l, leases[k].phase) = (w.l, Phase.Committed);
        }
        leases[k].at = _now();
        ++succeeded["commit"];
    }

    function actReveal(uint256 seed) external acts("reveal", seed) {
        uint256 k = _leaseIn(Phase.Committed, seed);
        if (k == leases.length) return;
        Work memory w = _workOf(k);
        Params memory p = _version(w.t.rules.version());
        uint256 opens = leases[k].at;
        uint256 rate = w.t.rules.auditBps(w.t.runtime) + w.t.auditBps;
        if (rate != 0) {
            if (vm.getBlockNumber() <= w.l.committedBlock + 1) vm.roll(w.l.committedBlock + 2);
            bytes32 hash =
                vm.getBlockNumber() - w.l.committedBlock > 257 ? bytes32(0) : blockhash(w.l.committedBlock + 1);
            uint256 roll = uint256(keccak256(abi.encode(hash, w.id, uint256(w.l.first), "audit"))) % 10_000;
            if (hash == 0 || roll < rate) opens += p.auditWindow;
        }
        if (_now() > opens + p.revealWindow) return;
        _wait(opens);
        _reveal(w);
        (leases[k].phase, leases[k].at) = (Phase.Revealed, _now());
        ++succeeded["reveal"];
    }

    function actSettle(uint256 seed) external acts("settle", seed) {
        uint256 k = _leaseIn(Phase.Revealed, seed);
        if (k == leases.length) return;
        _wait(leases[k].at + terms[leases[k].job].window + 1);
        _settleAt(k, leases[k].job);
        ++succeeded["settle"];
    }

    function _settleAt(uint256 k, uint256 index) internal metered(index) {
        _settle(_workOf(k));
        _bookPayment(k, false);
    }

    function actAccept(uint256 seed) external acts("accept", seed) {
        uint256 k = _leaseIn(Phase(1 + seed % 3), seed >> 8);
        if (k == leases.length) return;
        Work memory w = _workOf(k);
        bytes memory signature = _acceptance(w.t, w.l.first, w.l.node, w.r);
        _acceptAt(k, leases[k].job, w, signature);
        ++succeeded["accept"];
    }

    function _acceptAt(uint256 k, uint256 index, Work memory w, bytes memory signature) private metered(index) {
        market.accept(w.t.pack(), w.l.pack(), w.r, signature);
        _bookPayment(k, true);
    }
}
