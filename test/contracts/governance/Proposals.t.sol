// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {LedgerFacts} from "src-contracts/interfaces/ILedger.sol";
import {Params} from "src-contracts/types/Params.sol";
import {Terms as PackedTerms} from "src-contracts/types/Terms.sol";
import {GovernanceTest} from "test/contracts/governance/GovernanceTest.sol";
import {IDpuGovernor, IDpuTimelock} from "test/contracts/governance/IDpuGovernance.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

contract ProposalsTest is GovernanceTest {
    /// @dev From proposal to parameters. A job from before keeps its fee of 3 %, the next one pays 2 %.
    function test_Life_OfAProposalThatLowersTheFee() external {
        Terms memory before = _terms();
        before.expiry = uint40(_now() + 20 days);
        before.maxPrice = before.minPrice;
        _post(before);

        Motion memory m = _lowerFee();
        _propose(m);
        uint256 proposed = _now();
        assertEq(gov.proposalSnapshot(m.id), proposed + DELAY);
        assertEq(gov.proposalDeadline(m.id), proposed + DELAY + PERIOD);
        _assertState(m, IGovernor.ProposalState.Pending);

        vm.warp(proposed + DELAY + 1);
        _assertState(m, IGovernor.ProposalState.Active);
        assertEq(_vote(m, sue.owner, FOR), SUES, "staked DPU vote through the surrogate");
        assertEq(_vote(m, lena, FOR), LENAS);
        assertEq(_vote(m, tom, AGAINST), THRESHOLD, "delegated DPU vote with their delegate");

        vm.warp(proposed + DELAY + PERIOD + 1);
        _assertState(m, IGovernor.ProposalState.Succeeded);
        _queue(m);
        _assertState(m, IGovernor.ProposalState.Queued);
        assertEq(gov.proposalEta(m.id), _now() + LOCK);

        Params memory p = _params();
        p.feeBps = 200;
        vm.warp(gov.proposalEta(m.id));
        vm.expectEmit(address(market));
        emit LedgerFacts.ParamsAdded(2, p);
        vm.prank(stranger);
        gov.execute(m.targets, m.values, m.calls, m.descriptionHash);
        _assertState(m, IGovernor.ProposalState.Executed);
        assertEq(abi.encode(market.params(2)), abi.encode(p));
        assertEq(abi.encode(market.params(1)), abi.encode(_params()), "the first version stays as it was");

        _finish(before);
        assertEq(market.feesOf(address(dpu), alice.owner), 0.03e18, "the job from before pays 3 %");

        Terms memory later = _terms();
        later.maxPrice = later.minPrice;
        _pass(0, 2);
        PackedTerms memory packed = later.pack();
        vm.expectRevert(abi.encodeWithSelector(LedgerFacts.ParamsVersion.selector, 1, 2));
        vm.prank(requester);
        market.post(packed);
        later.rules = _rules(2);
        _post(later);
        _finish(later);
        assertEq(market.feesOf(address(dpu), alice.owner), 0.05e18, "the next one pays 2 %");
    }

    /// @dev Claims, shows and settles the one shard of a posted job.
    function _finish(Terms memory t) private {
        _pass(60, 10);
        Work memory w = _claim(t, alice, 1);
        _show(w);
        _pass(t.window + 1, 1);
        _settle(w);
    }

    /* THRESHOLD */

    function test_Propose_WithExactlyTheThreshold() external {
        Motion memory m = _lowerFee();
        assertEq(gov.proposalThreshold(), SUPPLY / 400, "0.25 % of the supply");
        assertEq(gov.getVotes(tom, _now() - 1), THRESHOLD);
        _propose(m);
        assertEq(gov.proposalProposer(m.id), tom);
    }

    function test_RevertWhen_Propose_OneWeiUnderTheThreshold() external {
        Motion memory m = _lowerFee();
        vm.prank(tomsFriend);
        dpu.transfer(stranger, 1);
        _pass(1, 1);
        vm.expectRevert(
            abi.encodeWithSelector(IGovernor.GovernorInsufficientProposerVotes.selector, tom, THRESHOLD - 1, THRESHOLD)
        );
        _propose(m);
    }

    /// @dev Somebody who sees a proposal on its way cannot make it his own and cancel it.
    function test_RevertWhen_Propose_ADescriptionNamesAnotherProposer() external {
        string memory text = string.concat("Lower the fee#proposer=", vm.toString(tom));
        Motion memory m = _motion(address(market), abi.encodeCall(market.setMinStake, (5e18)), text);
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorRestrictedProposer.selector, lena));
        vm.prank(lena);
        gov.propose(m.targets, m.values, m.calls, m.description);
        _propose(m);
        assertEq(gov.proposalProposer(m.id), tom);
    }

    /* QUORUM AND MAJORITY */

    function test_Quorum_IsMetByExactlyFourPercent() external {
        Motion memory m = _lowerFee();
        address bea = makeAddr("bea");
        _give(bea, QUORUM - SUES, bea);
        _open(m);
        assertEq(gov.quorum(gov.proposalSnapshot(m.id)), QUORUM);
        _vote(m, sue.owner, FOR);
        _vote(m, bea, ABSTAIN);
        _endVote(m);
        _assertState(m, IGovernor.ProposalState.Succeeded);
    }

    function test_Quorum_IsMissedByOneWei() external {
        Motion memory m = _lowerFee();
        address bea = makeAddr("bea");
        _give(bea, QUORUM - SUES - 1, bea);
        _open(m);
        _vote(m, sue.owner, FOR);
        _vote(m, bea, ABSTAIN);
        _endVote(m);
        _assertState(m, IGovernor.ProposalState.Defeated);
        vm.expectRevert(_unexpected(m, IGovernor.ProposalState.Defeated, IGovernor.ProposalState.Succeeded));
        _queue(m);
    }

    /// @dev Votes against are no quorum: opponents cannot carry a proposal by coming.
    function test_Quorum_DoesNotCountVotesAgainst() external {
        Motion memory m = _lowerFee();
        _open(m);
        _vote(m, sue.owner, FOR);
        _vote(m, lena, AGAINST);
        _endVote(m);
        _assertState(m, IGovernor.ProposalState.Defeated);
    }

    function test_Majority_ATieIsADefeat() external {
        Motion memory m = _lowerFee();
        address bea = makeAddr("bea");
        address cy = makeAddr("cy");
        _give(bea, QUORUM, bea);
        _give(cy, QUORUM, cy);
        _open(m);
        _vote(m, bea, FOR);
        _vote(m, cy, AGAINST);
        _endVote(m);
        _assertState(m, IGovernor.ProposalState.Defeated);
    }

    /// @dev Burnt DPU count no more, neither for the quorum.
    function test_Quorum_FollowsTheSupplyAtTheSnapshot() external {
        (bool ok,) = address(dpu).call(abi.encodeWithSignature("burn(uint256)", 500_000_000e18));
        assertTrue(ok);
        Motion memory m = _lowerFee();
        _open(m);
        assertEq(gov.quorum(gov.proposalSnapshot(m.id)), QUORUM / 2);
    }

    /// @dev A quorum that was lowered later does not bring a lost proposal back.
    function test_Quorum_LoweredLaterRevivesNothing() external {
        Motion memory lost = _lowerFee();
        _open(lost);
        _vote(lost, sue.owner, FOR);
        _endVote(lost);
        _assertState(lost, IGovernor.ProposalState.Defeated);
        _enacted(_motion(address(gov), abi.encodeCall(gov.updateQuorumNumerator, (3)), "Three per cent"));
        assertEq(gov.quorum(_now() - 1), QUORUM, "until now");
        _pass(1, 1);
        assertEq(gov.quorum(_now() - 1), 30_000_000e18, "from now on");
        _assertState(lost, IGovernor.ProposalState.Defeated);
    }

    /* THE CLOCK */

    function test_Vote_InItsWindowOnly() external {
        Motion memory m = _lowerFee();
        _propose(m);
        uint256 opens = gov.proposalSnapshot(m.id);
        vm.warp(opens);
        vm.expectRevert(_unexpected(m, IGovernor.ProposalState.Pending, IGovernor.ProposalState.Active));
        _vote(m, lena, FOR);
        vm.warp(opens + 1);
        _vote(m, lena, FOR);
        vm.warp(opens + PERIOD);
        _vote(m, tom, FOR);
        vm.warp(opens + PERIOD + 1);
        vm.expectRevert(_unexpected(m, IGovernor.ProposalState.Defeated, IGovernor.ProposalState.Active));
        _vote(m, sue.owner, FOR);
    }

    function test_RevertWhen_Queue_BeforeTheVoteHasEnded() external {
        Motion memory m = _lowerFee();
        _adopted(m);
        vm.warp(gov.proposalDeadline(m.id));
        vm.expectRevert(_unexpected(m, IGovernor.ProposalState.Active, IGovernor.ProposalState.Succeeded));
        _queue(m);
        _endVote(m);
        _queue(m);
    }

    function test_RevertWhen_Execute_OneSecondTooEarly() external {
        Motion memory m = _lowerFee();
        _adopted(m);
        vm.expectRevert(_unexpected(m, IGovernor.ProposalState.Succeeded, IGovernor.ProposalState.Queued));
        _execute(m);
        _queue(m);
        uint256 eta = gov.proposalEta(m.id);
        vm.warp(eta - 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDpuTimelock.TimelockUnexpectedOperationState.selector, _operation(m), bytes32(uint256(1 << 2))
            )
        );
        _execute(m);
        vm.warp(eta);
        _execute(m);
        vm.expectRevert(_unexpected(m, IGovernor.ProposalState.Executed, IGovernor.ProposalState.Queued));
        _execute(m);
    }

    /* LATE QUORUM */

    /// @dev Whoever brings the quorum in the last second gives everyone else another day.
    function test_LateQuorum_ExtendsTheVote() external {
        Motion memory m = _lowerFee();
        _open(m);
        uint256 deadline = gov.proposalDeadline(m.id);
        _vote(m, sue.owner, FOR);
        assertEq(gov.proposalDeadline(m.id), deadline, "no quorum yet");
        vm.warp(deadline);
        vm.expectEmit(address(gov));
        // forge-lint: disable-next-line(unsafe-typecast)
        emit IDpuGovernor.ProposalExtended(m.id, uint64(deadline + EXTENSION));
        _vote(m, lena, FOR);
        assertEq(gov.proposalDeadline(m.id), deadline + EXTENSION);

        vm.warp(deadline + EXTENSION);
        _vote(m, tom, AGAINST);
        assertEq(gov.proposalDeadline(m.id), deadline + EXTENSION, "once only");
        vm.warp(deadline + EXTENSION + 1);
        _assertState(m, IGovernor.ProposalState.Succeeded);
    }

    function test_LateQuorum_AnEarlyQuorumExtendsNothing() external {
        Motion memory m = _lowerFee();
        _open(m);
        uint256 deadline = gov.proposalDeadline(m.id);
        _vote(m, sue.owner, FOR);
        vm.warp(deadline - EXTENSION);
        _vote(m, lena, FOR);
        assertEq(gov.proposalDeadline(m.id), deadline);
    }

    /// @dev However late the quorum comes: from then on there is a day, or what was left of the vote if that is more.
    function testFuzz_LateQuorum_LeavesADayAtLeast(uint256 at) external {
        Motion memory m = _lowerFee();
        _open(m);
        uint256 deadline = gov.proposalDeadline(m.id);
        at = bound(at, _now(), deadline);
        _vote(m, sue.owner, FOR);
        vm.warp(at);
        _vote(m, lena, FOR);
        uint256 day = at + EXTENSION;
        assertEq(gov.proposalDeadline(m.id), day > deadline ? day : deadline);
    }
}
