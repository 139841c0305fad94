// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {NodeFacts} from "src-contracts/interfaces/INodes.sol";
import {Phase, Result} from "src-contracts/types/Lease.sol";
import {Params} from "src-contracts/types/Params.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Lease, Terms} from "test/contracts/lib/Readable.sol";

contract RevealTest is MarketTest {
    function _refuses(Work memory w, bytes memory error) private {
        vm.expectRevert(error);
        market.reveal(w.t.pack(), w.l.pack(), w.r, w.salt);
    }

    function _mismatch(Work memory w) private pure returns (bytes memory) {
        return abi.encodeWithSelector(JobFacts.LeaseMismatch.selector, w.id, w.l.first);
    }

    /// @dev A seed that draws (or spares) the audit at `rate`.
    function _seed(bytes32 id, uint256 rate, bool drawn) private pure returns (bytes32 seed) {
        seed = keccak256("seed"); // zero would mean that the hash is out of reach
        while ((uint256(keccak256(abi.encode(seed, id, uint256(0), "audit"))) % 10_000 < rate) != drawn) {
            seed = keccak256(abi.encode(seed));
        }
    }

    function _audited(uint16 rate) private returns (Work memory w) {
        Terms memory t = _terms();
        t.auditBps = rate;
        return _committed(t);
    }

    /* REVEAL */

    function test_Reveal_ShowsTheResult() external {
        Work[2] memory works = [_committed(_terms()), _committed(_many(4, 2))];
        for (uint256 i; i < 2; ++i) {
            Work memory w = works[i];
            vm.expectEmit(address(market));
            emit JobFacts.LeaseRevealed(w.id, alice.id, 0, w.r);
            _reveal(w);

            (Phase phase, uint40 at) = market.lease(w.id, 0);
            assertEq(uint8(phase), uint8(Phase.Revealed));
            assertEq(at, _now());
        }
    }

    function test_Reveal_ByAnyoneWhoKnowsTheSalt() external {
        Work memory w = _committed(_terms());
        vm.prank(stranger);
        _reveal(w);
    }

    function test_Reveal_InTheLastSecond() external {
        Work memory w = _committed(_terms());
        vm.warp(_now() + 10 minutes);
        _reveal(w);
    }

    function test_RevertWhen_Reveal_ASecondLate() external {
        Work memory w = _committed(_terms());
        uint256 closes = _now() + 10 minutes;
        vm.warp(closes + 1);
        _refuses(w, abi.encodeWithSelector(JobFacts.DeadlinePassed.selector, w.id, 0, uint40(closes)));
    }

    function test_RevertWhen_Reveal_InAnotherPhase() external {
        Work memory w = _claimed(_terms());
        _refuses(w, abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.Claimed, Phase.Committed));
        _commit(w);
        _reveal(w);
        _refuses(w, abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.Revealed, Phase.Committed));
        w.t.salt += 1;
        _refuses(
            w,
            abi.encodeWithSelector(
                JobFacts.LeaseInPhase.selector, market.jobId(w.t.pack()), 0, Phase.None, Phase.Committed
            )
        );
    }

    function test_RevertWhen_Reveal_ResultIsNotTheCommitted() external {
        Work memory w = _committed(_terms());
        bytes memory saved = abi.encode(w.r);
        w.r.root = 0;
        _refuses(w, _mismatch(w));
        w.r = abi.decode(saved, (Result));
        w.r.units ^= 1;
        _refuses(w, _mismatch(w));
        w.r = abi.decode(saved, (Result));
        w.r.manifest = 0;
        _refuses(w, _mismatch(w));
        w.r = abi.decode(saved, (Result));
        w.salt = 0;
        _refuses(w, _mismatch(w));
    }

    function test_RevertWhen_Reveal_LeaseIsNotTheCommitted() external {
        Work memory w = _committed(_many(4, 2));
        bytes memory saved = abi.encode(w.l);
        for (uint256 i; i < 7; ++i) {
            Lease memory l = abi.decode(saved, (Lease));
            if (i == 0) l.count += 1;
            if (i == 1) l.node = bob.id;
            if (i == 2) l.price += 1;
            if (i == 3) l.bonus += 1;
            if (i == 4) l.deadline += 1;
            if (i == 5) l.commitment = 0;
            if (i == 6) l.committedBlock += 1;
            w.l = l;
            _refuses(w, _mismatch(w));
        }
    }

    /* THE AUDIT DRAW */

    function test_RevertWhen_Reveal_AuditSeedIsNotMined() external {
        Work memory w = _audited(200);
        bytes memory error = abi.encodeWithSelector(JobFacts.TooEarly.selector, w.id, 0, 0);
        _refuses(w, error);
        _pass(1, 1);
        _refuses(w, error);
        _pass(1, 1);
        vm.setBlockhash(w.l.committedBlock + 1, _seed(w.id, 200, false));
        _reveal(w);
    }

    function test_Reveal_WaitsForTheAuditWindowWhenDrawn() external {
        Work memory w = _audited(200);
        uint256 opens = _now() + 30 minutes;
        _pass(2, 2);
        vm.setBlockhash(w.l.committedBlock + 1, _seed(w.id, 200, true));

        vm.warp(opens - 1);
        _refuses(w, abi.encodeWithSelector(JobFacts.TooEarly.selector, w.id, 0, uint40(opens)));
        uint256 at = vm.snapshotState();
        vm.warp(opens);
        _reveal(w);
        vm.revertToState(at);
        vm.warp(opens + 10 minutes);
        _reveal(w);
        vm.revertToState(at);
        vm.warp(opens + 10 minutes + 1);
        _refuses(w, abi.encodeWithSelector(JobFacts.DeadlinePassed.selector, w.id, 0, uint40(opens + 10 minutes)));
    }

    function test_Reveal_AuditRateOfTheProtocolAndOfTheTermsAddUp() external {
        vm.prank(governor);
        uint16 version = market.addParams(_audits());
        Terms memory t = _terms();
        (t.rules, t.auditBps) = (_rules(version), 3_000);
        Work memory w = _committed(t);
        _pass(2, 2);
        // Drawn at 35 %, not at 30 %.
        bytes32 seed = keccak256("x");
        while (uint256(keccak256(abi.encode(seed, w.id, uint256(0), "audit"))) % 10_000 / 500 != 6) {
            seed = keccak256(abi.encode(seed));
        }
        vm.setBlockhash(w.l.committedBlock + 1, seed);
        _refuses(w, abi.encodeWithSelector(JobFacts.TooEarly.selector, w.id, 0, uint40(_now() - 2 + 30 minutes)));
    }

    function _audits() private view returns (Params memory p) {
        p = _params();
        (p.auditRates, p.feeBps) = (0xfffc, 500); // 5 %
    }

    function test_Reveal_EveryLeaseIsDrawnAtTheFullRate() external {
        Work memory w = _audited(10_000);
        uint256 opens = _now() + 30 minutes;
        _pass(2, 2);
        _refuses(w, abi.encodeWithSelector(JobFacts.TooEarly.selector, w.id, 0, uint40(opens)));
    }

    /// @dev Waiting until the hash is out of reach must not be a way around the audit.
    function test_Reveal_HashOutOfReachCountsAsDrawn() external {
        Work memory w = _audited(1);
        uint256 opens = _now() + 30 minutes;
        _pass(2, 10_000);
        _refuses(w, abi.encodeWithSelector(JobFacts.TooEarly.selector, w.id, 0, uint40(opens)));
        vm.warp(opens);
        _reveal(w);
    }

    /* SUBMIT */

    function _refusesSubmit(Work memory w, bytes memory error) private {
        vm.expectRevert(error);
        vm.prank(w.n.operator);
        market.submit(w.id, w.l.pack(), w.r);
    }

    function test_Submit_ShowsTheResultInOneStep() external {
        Terms memory shared = _many(4, 2);
        shared.direct = true;
        Work[2] memory works = [_claimed(_direct()), _claimed(shared)];
        for (uint256 i; i < 2; ++i) {
            Work memory w = works[i];
            uint256 claimed = market.leaseWord(w.id, 0);
            vm.expectEmit(address(market));
            emit JobFacts.LeaseRevealed(w.id, alice.id, 0, w.r);
            _submit(w);

            bytes32 hash = keccak256(abi.encode(claimed, w.r.root, uint256(w.r.units), w.r.manifest));
            uint256 flags = i == 0 ? 0xc3 : 0x43;
            assertEq(market.leaseWord(w.id, 0), (flags << 248) | (_now() << 208) | (uint256(hash) >> 48));
        }
    }

    function test_Submit_UntilTheLastSecondOnly() external {
        Work memory w = _claimed(_direct());
        vm.warp(uint256(w.l.deadline) + 1);
        _refusesSubmit(w, abi.encodeWithSelector(JobFacts.DeadlinePassed.selector, w.id, 0, w.l.deadline));
        vm.warp(w.l.deadline);
        _submit(w);
    }

    function test_RevertWhen_Submit_ToAJobWithCommits() external {
        Work memory w = _claimed(_terms());
        _refusesSubmit(w, abi.encodeWithSelector(JobFacts.DirectMismatch.selector, w.id, false));
    }

    function test_RevertWhen_Submit_NotByTheOperator() external {
        Work memory w = _claimed(_direct());
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.NotNodeOperator.selector, alice.id, stranger));
        vm.prank(stranger);
        market.submit(w.id, w.l.pack(), w.r);
    }

    function test_RevertWhen_Submit_TwiceOrNotClaimedOrAnotherLease() external {
        Work memory w = _claimed(_direct());
        w.l.price += 1;
        _refusesSubmit(w, _mismatch(w));
        w.l.price -= 1;
        _submit(w);
        _refusesSubmit(
            w, abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.Revealed, Phase.Claimed)
        );
        w.id = 0;
        _refusesSubmit(w, abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, 0, 0, Phase.None, Phase.Claimed));
    }
}
