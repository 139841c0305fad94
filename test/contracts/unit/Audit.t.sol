// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {LedgerFacts} from "src-contracts/interfaces/ILedger.sol";
import {NodeFacts} from "src-contracts/interfaces/INodes.sol";
import {Bench, BenchLib} from "src-contracts/types/Bench.sol";
import {Phase} from "src-contracts/types/Lease.sol";
import {Panel, PanelLib} from "src-contracts/types/Panel.sol";
import {Params} from "src-contracts/types/Params.sol";
import {PanelTest} from "test/contracts/lib/PanelTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev How a lease becomes an audit: the draw, who may sit down, who pays.
contract AuditTest is PanelTest {
    uint256 private constant POOL = 100e18;

    /// @dev The protocol audits 2 %.
    function _params() internal view override returns (Params memory p) {
        p = super._params();
        p.auditRates = 0xaaa8;
    }

    function setUp() public override {
        super.setUp();
        market.deposit(address(dpu), treasury, POOL);
    }

    /// @dev One shard at 2 DPU, held and committed by alice.
    function _held(uint16 bought) private returns (Work memory w) {
        Terms memory t = _terms();
        (t.node, t.auditBps, t.minPrice) = (0, bought, t.maxPrice);
        t.expiry = uint40(_now() + 1 hours);
        _post(t);
        _pass(30 minutes, 2);
        w = _claim(t, alice, 1);
        _commit(w);
    }

    function _notAudited(Work memory w, Actor memory n) private {
        _cannotAudit(w, n, abi.encodeWithSelector(JobFacts.NotAudited.selector, w.id, 0));
    }

    /// @dev To the last second of the audit's window, in which the draw lets (nearly) everyone in.
    function _waitFor(Work memory w) private {
        (, uint40 committed) = market.lease(w.id, 0);
        vm.warp(uint256(committed) + 30 minutes - 1);
    }

    /* THE DRAW */

    function test_Audit_BelowTheBaseRateTheProtocolPays() external {
        Work memory w = _held(3_000);
        _roll(w, 199, 200);
        uint256 before = _balance(address(dpu), treasury);
        _waitFor(w);
        vm.expectEmit(address(market));
        emit JobFacts.AuditOpened(w.id, bob.id, 0, true);
        Work[] memory seats = _auditedBy(w, bob);
        assertEq(before - _balance(address(dpu), treasury), 2e18);
        assertEq(seats[1].l.price, 2e18, "the holder's price");
        assertEq(market.panel(w.id, 0).marks, PanelLib.POOL);
    }

    function test_Audit_TheProtocolPaysForEachShardOfARange() external {
        Terms memory t = _terms();
        (t.node, t.minPrice, t.shards, t.maxLease) = (0, t.maxPrice, 2, 2);
        _post(t);
        _pass(30 minutes, 2);
        Work memory w = _claim(t, alice, 2);
        _commit(w);
        _roll(w, 0, 200);
        uint256 before = _balance(address(dpu), treasury);
        _waitFor(w);
        Work[] memory seats = _auditedBy(w, bob);
        assertEq(before - _balance(address(dpu), treasury), 4e18);

        vm.warp(uint256(seats[1].l.deadline) + 1);
        market.lapse(t.pack(), seats[1].l.pack());
        assertEq(_balance(address(dpu), treasury), before + 0.32e18, "it comes back, and a tenth of what was slashed");
    }

    function test_Audit_TheHolderHasTheFirstPlaceOnTheBench() external {
        Work memory w = _held(10_000);
        _roll(w, 0, 10_000);
        _waitFor(w);
        _auditedBy(w, bob);
        uint256 prints = Bench.unwrap(market.bench(w.id, 0)) >> 168;
        assertEq(prints, BenchLib.printOf(w.id, alice.id) | BenchLib.printOf(w.id, bob.id) << 8);
    }

    function test_Audit_AboveItTheRequesterPays() external {
        Work memory w = _held(3_000);
        _roll(w, 200, 201);
        uint256 before = _balance(address(dpu), treasury);
        _waitFor(w);
        vm.expectEmit(address(market));
        emit JobFacts.AuditOpened(w.id, bob.id, 0, false);
        _auditedBy(w, bob);
        assertEq(_balance(address(dpu), treasury), before);
        assertEq(market.panel(w.id, 0).marks, 0);
    }

    function test_RevertWhen_Audit_NotDrawn() external {
        Work memory w = _held(3_000);
        _notAudited(w, bob); // no seed yet
        _pass(1, 1);
        _notAudited(w, bob);
        _roll(w, 3_200, 3_201);
        _waitFor(w);
        _notAudited(w, bob);
        vm.setBlockhash(w.l.committedBlock + 1, _rollsBetween(w.id, 0, 3_199, 3_200));
        vm.roll(w.l.committedBlock + 2);
        _auditedBy(w, bob);
    }

    function test_Audit_NoneWhereTheProtocolAuditsNothing() external {
        Params memory p = _params();
        p.auditRates = 0xaaa0; // none of runtime 1
        vm.prank(governor);
        uint16 version = market.addParams(p);
        Terms memory t = _terms();
        (t.node, t.rules) = (0, _rules(version));
        _post(t);
        _pass(30 minutes, 2);
        Work memory w = _claim(t, alice, 1);
        _commit(w);
        _reveal(w);
    }

    /// @dev Over many seeds the share of drawn leases is the rate, and every seed falls where the definition says.
    function test_Audit_RatesAreExact() external {
        Work memory w = _held(3_000);
        _pass(2, 2);
        uint256[3] memory counts;
        for (uint256 i; i < 3_000; ++i) {
            bytes32 seed = keccak256(abi.encode("rates", i));
            uint256 roll = uint256(keccak256(abi.encode(seed, w.id, uint256(0), "audit"))) % 10_000;
            ++counts[roll < 200 ? 0 : roll < 3_200 ? 1 : 2];
            if (i % 50 != 0) continue; // one in fifty is asked of the Market itself
            vm.setBlockhash(w.l.committedBlock + 1, seed);
            uint256 at = vm.snapshotState();
            vm.warp(_now() + 29 minutes + 57 seconds);
            vm.prank(bob.operator);
            try market.audit(w.t.pack(), w.l.pack(), bob.id) {
                assertLt(roll, 3_200);
                assertEq(market.panel(w.id, 0).marks, roll < 200 ? PanelLib.POOL : 0);
            } catch (bytes memory error) {
                if (roll >= 3_200) {
                    assertEq(error, abi.encodeWithSelector(JobFacts.NotAudited.selector, w.id, 0));
                } else {
                    assertEq(bytes4(error), JobFacts.NotDrawn.selector);
                }
            }
            vm.revertToState(at);
        }
        // Five standard deviations of a binomial: 3000 · 2 % = 60 ± 38; 3000 · 30 % = 900 ± 125.
        assertApproxEqAbs(counts[0], 60, 38);
        assertApproxEqAbs(counts[1], 900, 125);
    }

    function test_Audit_ASeedOutOfReachCountsAsDrawn() external {
        Work memory w = _held(0);
        _pass(2, 10_000);
        _auditedBy(w, bob); // nor is there a draw among auditors
        assertEq(market.panel(w.id, 0).marks, PanelLib.POOL);
    }

    /* TIMES */

    function test_Audit_LastSecondOfItsWindowThenTheHoldersFirst() external {
        Work memory w = _held(0);
        uint256 opens = _now() + 30 minutes;
        _roll(w, 0, 200);
        vm.warp(opens);
        bytes memory late = abi.encodeWithSelector(JobFacts.DeadlinePassed.selector, w.id, 0, uint40(opens - 1));
        _cannotAudit(w, bob, late);
        uint256 at = vm.snapshotState();
        _reveal(w);
        vm.revertToState(at);
        vm.warp(opens - 1);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.TooEarly.selector, w.id, 0, uint40(opens)));
        market.reveal(w.t.pack(), w.l.pack(), w.r, w.salt);
        _auditedBy(w, bob);
    }

    function test_RevertWhen_Audit_NodeIsNotDrawnYet() external {
        Work memory w = _held(10_000);
        uint256 committed = _now();
        _pass(2, 2);
        bytes32 seed;
        // By the definition of the draw: two nodes expected at once, of five equal ones with records of one half.
        while (true) {
            seed = keccak256(abi.encode(seed));
            uint256 roll = uint64(uint256(keccak256(abi.encode(seed, w.id, uint256(0), uint256(bob.id)))));
            if (roll * 10 / 2 ** 64 == 3) break; // in with the fourth, two steps later
        }
        vm.setBlockhash(w.l.committedBlock + 1, seed);
        bytes memory early =
            abi.encodeWithSelector(JobFacts.NotDrawn.selector, w.id, bob.id, uint40(committed + 2 * 30));
        _cannotAudit(w, bob, early);
        vm.warp(committed + 59);
        _cannotAudit(w, bob, early);
        vm.warp(committed + 60);
        _auditedBy(w, bob);
    }

    /* WHO */

    function test_RevertWhen_Audit_ByAPartyOrAnUnableNode() external {
        Work memory w = _held(10_000);
        Actor memory second = _ofAlice();
        Actor memory requesters = _ofRequester();
        Actor memory other = _register("another runtime", 4);
        _pass(2, 2);
        _waitFor(w);
        Actor[4] memory refused = [alice, second, requesters, other];
        for (uint256 i; i < 4; ++i) {
            _cannotAudit(w, refused[i], abi.encodeWithSelector(JobFacts.NodeNotEligible.selector, w.id, refused[i].id));
        }
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.NotNodeOperator.selector, bob.id, bob.owner));
        vm.prank(bob.owner);
        market.audit(w.t.pack(), w.l.pack(), bob.id);
        _auditedBy(w, bob);
    }

    function _ofAlice() private returns (Actor memory) {
        address operator = makeAddr("alice's second");
        vm.prank(alice.owner);
        return Actor(market.register(operator, 2, 0, ""), alice.owner, operator);
    }

    function _ofRequester() private returns (Actor memory) {
        address operator = makeAddr("requester's node");
        vm.prank(requester);
        return Actor(market.register(operator, 2, 0, ""), requester, operator);
    }

    /// @dev A job for one node alone can be audited by others, where its requester pays.
    function test_Audit_OfAJobForOneNode() external {
        Terms memory t = _terms();
        (t.auditBps, t.minPrice) = (3_000, t.maxPrice);
        Work memory w = _committed(t);
        _roll(w, 200, 3_200);
        _waitFor(w);
        _auditedBy(w, bob);
    }

    /// @dev Else a holder that is not drawn could withdraw for nothing and try again, until its own auditor is paid by the protocol.
    function test_RevertWhen_Audit_TheProtocolWouldPayForWhatCostsNothing() external {
        Terms memory t = _terms();
        Work memory w = _committed(t);
        _roll(w, 0, 200);
        _waitFor(w);
        _notAudited(w, bob); // its requester chose the node

        t = _inUsd(_terms());
        (t.node, t.bond) = (0, 0);
        t.expiry = uint40(_now() + 1 hours);
        _post(t);
        _pass(30 minutes, 2);
        w = _claim(t, alice, 1);
        _commit(w);
        usd.mint(address(this), 10e6);
        market.deposit(address(usd), treasury, 10e6);
        _roll(w, 0, 200);
        _waitFor(w);
        _notAudited(w, bob); // no bond stands against its price
        _pass(1, 1);
        _reveal(w);
    }

    /* MONEY */

    function test_RevertWhen_Audit_ThePoolIsEmptyAndTheHolderGoesOn() external {
        Work memory w = _held(0);
        vm.prank(treasury);
        market.withdraw(address(dpu), treasury, POOL - 1e18);
        _roll(w, 0, 200);
        _waitFor(w);
        bytes memory empty =
            abi.encodeWithSelector(LedgerFacts.BalanceTooLow.selector, address(dpu), treasury, 1e18, 2e18);
        _cannotAudit(w, bob, empty);
        _pass(1, 1);
        _reveal(w);
        _pass(121, 1);
        _settle(w);
        assertEq(_balance(address(dpu), alice.owner), 1.94e18);
        _assertSolvent(0);
    }

    /* CALLDATA AND STATE */

    function test_RevertWhen_Audit_LeaseIsNotACommittedOne() external {
        Terms memory t = _terms();
        (t.node, t.auditBps) = (0, 10_000);
        _post(t);
        _pass(30 minutes, 2);
        Work memory w = _claim(t, alice, 1);
        _cannotAudit(
            w, bob, abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.Claimed, Phase.Committed)
        );
        _commit(w);
        _pass(2, 2);
        _waitFor(w);
        w.l.committedBlock -= 1;
        _cannotAudit(w, bob, abi.encodeWithSelector(JobFacts.LeaseMismatch.selector, w.id, 0));
        w.l.committedBlock += 1;
        w.l.price += 1;
        _cannotAudit(w, bob, abi.encodeWithSelector(JobFacts.LeaseMismatch.selector, w.id, 0));
        w.l.price -= 1;
        _auditedBy(w, bob);
        _cannotAudit(
            w, carol, abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.Seated, Phase.Committed)
        );
    }

    function test_RevertWhen_Audit_Paused() external {
        Work memory w = _held(10_000);
        _pass(2, 2);
        _pause();
        _cannotAudit(w, bob, abi.encodeWithSelector(LedgerFacts.PausedUntil.selector, uint40(_now() + 1 days)));
    }

    function test_RevertWhen_Audit_EndsBeforeItsAuditorHasCommitted() external {
        Work memory w = _held(10_000);
        _roll(w, 0, 10_000);
        _waitFor(w);
        Work[] memory one = new Work[](1);
        one[0] = _auditedBy(w, bob)[0];
        _refuses(one, 0, abi.encodeWithSelector(JobFacts.TooEarly.selector, w.id, 0, uint40(0)));
    }

    function test_RevertWhen_Audit_OfASeat() external {
        Work memory w = _opened(_panelTerms());
        _cannotAudit(w, bob, abi.encodeWithSelector(JobFacts.SeatsAgree.selector, w.id, 0));
    }

    function test_Audit_TheHolderCannotGoOnAlone() external {
        Work memory w = _held(10_000);
        uint40 committed = uint40(_now());
        _pass(2, 2);
        _waitFor(w);
        _auditedBy(w, bob);
        Panel memory p = market.panel(w.id, 0);
        assertEq(abi.encode(p.count, p.sitting, p.committed, p.asked), abi.encode(1, 2, 1, 2));
        assertEq(abi.encode(p.openedAt, p.movedAt, p.rampFrom), abi.encode(committed, committed, committed));
        bytes memory seated =
            abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.Seated, Phase.Committed);
        vm.expectRevert(seated);
        market.reveal(w.t.pack(), w.l.pack(), w.r, w.salt);
        bytes memory signature = _acceptance(w.t, 0, alice.id, w.r);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.Seated, Phase.Claimed));
        market.accept(w.t.pack(), w.l.pack(), w.r, signature);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.Seated, Phase.Claimed));
        market.lapse(w.t.pack(), w.l.pack());
        (bool now_, uint40 from) = market.drawn(w.t.pack(), 0, carol.id);
        assertTrue(!now_ && from == 0);
    }
}
