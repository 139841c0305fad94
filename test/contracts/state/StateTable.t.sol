// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {NodeFacts} from "src-contracts/interfaces/INodes.sol";
import {Result} from "src-contracts/types/Lease.sol";
import {Params} from "src-contracts/types/Params.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Lease, Packing, Terms} from "test/contracts/lib/Readable.sol";

/// @dev Every call in every state by every role, early and late: what is legal passes, what is not reverts with its name. The
/// expectations are written as rules in the order in which a reader of the interface would check them.
contract StateTableTest is MarketTest {
    enum At {
        None,
        Voided,
        Open,
        Claimed,
        Committed,
        Revealed,
        Lapsed,
        Cancelled,
        Complete,
        Closed
    }

    enum Call {
        Post,
        Claim,
        ClaimOrder,
        TakeOver,
        Commit,
        Submit,
        Reveal,
        Settle,
        Accept,
        Lapse,
        Cancel,
        Close,
        Sweep,
        SettleOrder
    }

    enum Role {
        Holder,
        Rival,
        Requester,
        Stranger
    }

    /// @dev One cell. `shared`: the lease holds two of four shards, else the whole job.
    struct Cell {
        At at;
        Call call;
        Role role;
        bool late;
        bool shared;
        bool direct;
    }

    bytes4 private constant OK = 0;

    /// @dev Everyone is drawn after a second, so that the table is about states, not luck.
    function _params() internal view override returns (Params memory p) {
        p = super._params();
        (p.drawStep, p.drawOpenAfter) = (1, 1);
    }

    function test_Table_SoloJobs() external {
        (uint256 cells, uint256 legal) = _table(false, false);
        (uint256 more, uint256 moreLegal) = _table(false, true);
        assertEq(cells + more, 1_904, "cells");
        assertEq(legal + moreLegal, 126, "legal cells");
    }

    function test_Table_SharedJobs() external {
        (uint256 cells, uint256 legal) = _table(true, false);
        (uint256 more, uint256 moreLegal) = _table(true, true);
        assertEq(cells + more, 2_128, "cells");
        assertEq(legal + moreLegal, 173, "legal cells");
    }

    /// @dev Counts are carried in memory: storage goes back with every snapshot.
    function _table(bool shared, bool direct) private returns (uint256 cells, uint256 legal) {
        for (uint256 at; at <= uint256(At.Closed); ++at) {
            if (At(at) == At.Committed && direct) continue;
            if (At(at) == At.Cancelled && !shared) continue;
            uint256 clean = vm.snapshotState();
            cells += 14 * 4 * 2;
            legal += _row(At(at), shared, direct);
            vm.revertToState(clean);
        }
    }

    function _row(At at, bool shared, bool direct) private returns (uint256 legal) {
        Work memory w = _reach(at, shared, direct);
        uint256 early = vm.getBlockTimestamp();
        uint256 late = early + 2 days;
        uint256 state = vm.snapshotState();
        for (uint256 i; i < 14 * 4 * 2; ++i) {
            Cell memory c = Cell(at, Call(i / 8), Role(i / 2 % 4), i % 2 == 1, shared, direct);
            vm.warp(c.late ? late : early);
            if (_cell(c, w)) ++legal;
            vm.revertToState(state);
        }
    }

    /// @dev Brings a fresh job to a state, two seconds and two blocks after it got there.
    function _reach(At at, bool shared, bool direct) private returns (Work memory w) {
        Terms memory t = shared ? _many(4, 2) : _terms();
        (t.direct, t.node) = (direct, 0);
        w = _unclaimed(t);
        if (at == At.None) return w;
        if (at == At.Voided) {
            vm.prank(requester);
            market.cancel(t.pack());
            return w;
        }
        _post(t);
        _pass(2, 2);
        if (at == At.Open) return w;
        w = _claim(t, alice, 2);
        if (at == At.Committed) _commit(w);
        if (at == At.Revealed) _show(w);
        if (at == At.Lapsed || at == At.Closed) {
            vm.warp(uint256(w.l.deadline) + 1);
            market.lapse(t.pack(), w.l.pack());
        }
        if (at == At.Closed) {
            vm.warp(uint256(t.expiry) + 1);
            market.close(t.pack());
        }
        if (at == At.Cancelled) {
            vm.warp(_now() + 60);
            vm.prank(requester);
            market.cancel(t.pack());
        }
        if (at == At.Complete) {
            _accept(w);
            if (shared) _accept(_claim(t, alice, 2));
        }
        _pass(2, 2);
    }

    /// @dev What a caller would pass when there is no lease yet.
    function _unclaimed(Terms memory t) private view returns (Work memory w) {
        (w.t, w.id, w.n) = (t, market.jobId(t.pack()), alice);
        w.l.count = t.shards == 1 ? 1 : 2;
        w.l.node = alice.id;
        w.l.price = t.minPrice;
        w.l.deadline = uint40(_now() + t.exec);
        w.r = _result("r");
    }

    function _cell(Cell memory c, Work memory w) private returns (bool ok) {
        bytes4 expected = _expected(c);
        bytes memory data = _data(c, w);
        vm.prank(_caller(c.role));
        bytes memory answer;
        (ok, answer) = address(market).call(data);
        bytes4 error = ok ? OK : bytes4(answer);
        string memory name = string(
            abi.encodePacked(
                "at ",
                vm.toString(uint256(c.at)),
                " call ",
                vm.toString(uint256(c.call)),
                " role ",
                vm.toString(uint256(c.role)),
                c.late ? " late" : " early",
                c.shared ? " shared" : " solo",
                c.direct ? " direct" : ""
            )
        );
        assertEq(error, expected, name);
    }

    function _caller(Role role) private view returns (address) {
        if (role == Role.Holder) return alice.operator;
        if (role == Role.Rival) return bob.operator;
        return role == Role.Requester ? requester : stranger;
    }

    function _data(Cell memory c, Work memory w) private view returns (bytes memory) {
        uint32 node = c.role == Role.Holder ? alice.id : bob.id;
        if (c.call == Call.Post) return abi.encodeCall(market.post, (w.t.pack()));
        if (c.call == Call.Claim) return abi.encodeCall(market.claim, (w.t.pack(), node, 2));
        if (c.call == Call.ClaimOrder) return abi.encodeCall(market.claimOrder, (w.t.pack(), _order(w.t), node, 2));
        if (c.call == Call.TakeOver) return abi.encodeCall(market.takeOver, (w.t.pack(), 0, node));
        if (c.call == Call.Commit) return abi.encodeCall(market.commit, (w.id, w.l.pack(), bytes32(uint256(1))));
        if (c.call == Call.Submit) return abi.encodeCall(market.submit, (w.id, w.l.pack(), w.r));
        if (c.call == Call.Reveal) return abi.encodeCall(market.reveal, (w.t.pack(), w.l.pack(), w.r, w.salt));
        if (c.call == Call.Lapse) return abi.encodeCall(market.lapse, (w.t.pack(), w.l.pack()));
        if (c.call == Call.Cancel) return abi.encodeCall(market.cancel, (w.t.pack()));
        if (c.call == Call.Close) return abi.encodeCall(market.close, (w.t.pack()));
        if (c.call == Call.Sweep) return abi.encodeCall(market.sweep, (w.id, 0));
        bytes memory acceptance = _acceptance(w.t, 0, alice.id, w.r);
        if (c.call == Call.Accept) return abi.encodeCall(market.accept, (w.t.pack(), w.l.pack(), w.r, acceptance));
        if (c.call == Call.SettleOrder) {
            return abi.encodeCall(market.settleOrder, (w.t.pack(), _order(w.t), alice.id, w.r, acceptance));
        }
        Lease[] memory leases = new Lease[](1);
        Result[] memory results = new Result[](1);
        (leases[0], results[0]) = (w.l, w.r);
        return abi.encodeCall(market.settle, (w.t.pack(), Packing.pack(leases), results));
    }

    /* THE RULES */

    /// @dev Open for claims: posted, not cancelled, not ended, and not held by one lease as a whole.
    function _open(Cell memory c) private pure returns (bool) {
        if (c.at == At.Open || c.at == At.Lapsed) return true;
        return c.shared && (c.at == At.Claimed || c.at == At.Committed || c.at == At.Revealed);
    }

    /// @dev In the cancelled row the lease is a claimed one.
    function _claimedNow(Cell memory c) private pure returns (bool) {
        return c.at == At.Claimed || c.at == At.Cancelled;
    }

    function _expected(Cell memory c) private pure returns (bytes4) {
        if (c.call == Call.Post) return _post_(c);
        if (c.call == Call.Claim) return _claim_(c);
        if (c.call == Call.ClaimOrder) return _order_(c, true);
        if (c.call == Call.SettleOrder) return _order_(c, false);
        if (c.call == Call.TakeOver) return _takeOver_(c);
        if (c.call == Call.Commit) return _hold_(c, c.direct);
        if (c.call == Call.Submit) return _hold_(c, !c.direct);
        if (c.call == Call.Cancel) return _cancel_(c);
        return _anyone_(c);
    }

    function _post_(Cell memory c) private pure returns (bytes4) {
        if (c.role != Role.Requester) return JobFacts.NotRequester.selector;
        if (c.at != At.None) return JobFacts.JobInState.selector;
        return c.late ? JobFacts.TermsInvalid.selector : OK; // it has expired
    }

    function _claim_(Cell memory c) private pure returns (bytes4) {
        if (!_open(c)) return JobFacts.JobInState.selector;
        if (c.at == At.Lapsed && !c.shared) return JobFacts.NothingToClaim.selector;
        if (c.role != Role.Holder && c.role != Role.Rival) return NodeFacts.NotNodeOperator.selector;
        return c.late ? JobFacts.DeadlinePassed.selector : OK;
    }

    function _order_(Cell memory c, bool operatorsOnly) private pure returns (bytes4) {
        if (c.at != At.None) return JobFacts.JobInState.selector;
        if (c.late) return JobFacts.TermsInvalid.selector;
        bool operator = c.role == Role.Holder || c.role == Role.Rival;
        return operatorsOnly && !operator ? NodeFacts.NotNodeOperator.selector : OK;
    }

    function _takeOver_(Cell memory c) private pure returns (bytes4) {
        if (!_open(c)) return JobFacts.JobInState.selector;
        if (c.at != At.Lapsed) return JobFacts.LeaseInPhase.selector;
        if (c.role == Role.Holder) return JobFacts.TakeOverByFailed.selector;
        if (c.role != Role.Rival) return NodeFacts.NotNodeOperator.selector;
        return c.late ? JobFacts.DeadlinePassed.selector : OK;
    }

    function _hold_(Cell memory c, bool wrongKind) private pure returns (bytes4) {
        if (!_claimedNow(c)) return JobFacts.LeaseInPhase.selector;
        if (c.role != Role.Holder) return NodeFacts.NotNodeOperator.selector;
        if (c.late) return JobFacts.DeadlinePassed.selector;
        return wrongKind ? JobFacts.DirectMismatch.selector : OK;
    }

    function _cancel_(Cell memory c) private pure returns (bytes4) {
        if (c.role != Role.Requester) return JobFacts.NotRequester.selector;
        if (c.at == At.None) return OK; // voids the order
        if (!_open(c)) return JobFacts.JobInState.selector;
        if (c.late) return OK;
        // A whole job opens afresh when it lapses; a shared one has been open for minutes by then.
        return c.at == At.Lapsed && c.shared ? OK : JobFacts.TooEarly.selector;
    }

    function _anyone_(Cell memory c) private pure returns (bytes4) {
        if (c.call == Call.Reveal) {
            if (c.at != At.Committed) return JobFacts.LeaseInPhase.selector;
            return c.late ? JobFacts.DeadlinePassed.selector : OK;
        }
        if (c.call == Call.Settle) {
            if (c.at != At.Revealed) return JobFacts.LeaseInPhase.selector;
            return c.late ? OK : JobFacts.TooEarly.selector;
        }
        if (c.call == Call.Accept) {
            bool living = _claimedNow(c) || c.at == At.Committed || c.at == At.Revealed;
            return living ? OK : JobFacts.LeaseInPhase.selector;
        }
        if (c.call == Call.Lapse) {
            if (!_claimedNow(c) && c.at != At.Committed) return JobFacts.LeaseInPhase.selector;
            return c.late ? OK : JobFacts.TooEarly.selector;
        }
        if (c.call == Call.Close) {
            if (!_open(c)) return JobFacts.JobInState.selector;
            if (!c.late) return JobFacts.TooEarly.selector;
            return c.at == At.Open || c.at == At.Lapsed ? OK : JobFacts.JobBusy.selector;
        }
        // Sweep
        if (c.at == At.Voided) return JobFacts.LeaseInPhase.selector;
        return c.at == At.Closed ? OK : JobFacts.JobInState.selector;
    }
}
