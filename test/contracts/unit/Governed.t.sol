// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Vm} from "forge-std/Vm.sol";
import {Parameters} from "src-contracts/Parameters.sol";
import {LedgerFacts} from "src-contracts/interfaces/ILedger.sol";
import {NodeFacts} from "src-contracts/interfaces/INodes.sol";
import {Params} from "src-contracts/types/Params.sol";
import {Rules, RulesLib} from "src-contracts/types/Rules.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

contract GovernedTest is MarketTest {
    function _bounds(bytes32 name, uint256 value, uint256 least, uint256 most) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Parameters.ParameterOutOfBounds.selector, name, value, least, most);
    }

    function test_RevertWhen_Governance_NotByTheOwner() external {
        bytes[10] memory calls = [
            abi.encodeCall(market.allowSeats, (true)),
            abi.encodeCall(market.addParams, (_params())),
            abi.encodeCall(market.allowCurrency, (address(usd), true)),
            abi.encodeCall(market.allowRuntime, (1, true)),
            abi.encodeCall(market.setMinStake, (1e18)),
            abi.encodeCall(market.setUnbonding, (7 days)),
            abi.encodeCall(market.setTreasury, (stranger)),
            abi.encodeCall(market.setGuardian, (stranger, uint40(0))),
            abi.encodeCall(market.setTier, (alice.id, 1, uint40(0))),
            abi.encodeCall(market.setProver, (address(0)))
        ];
        address[4] memory callers = [stranger, guard, treasury, alice.owner];
        for (uint256 i; i < calls.length; ++i) {
            for (uint256 k; k < callers.length; ++k) {
                vm.prank(callers[k]);
                (bool ok, bytes memory answer) = address(market).call(calls[i]);
                assertFalse(ok);
                assertEq(
                    answer, abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, callers[k]), "error"
                );
            }
            vm.prank(governor);
            (bool fine,) = address(market).call(calls[i]);
            assertTrue(fine);
        }
    }

    /// @dev Whoever follows the events knows everything that is set, from the first block.
    function test_Constructor_TellsWhatItAllows() external {
        vm.recordLogs();
        vm.deployCode("Market.sol:Market", _arguments(address(dpu), treasury));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 told;
        for (uint256 i; i < logs.length; ++i) {
            bytes32 about = logs[i].topics[0];
            if (about == LedgerFacts.CurrencyAllowed.selector) {
                assertEq(logs[i].topics[1], bytes32(uint256(uint160(address(dpu)))));
                assertEq(logs[i].data, abi.encode(true));
                ++told;
            } else if (about == LedgerFacts.RuntimeAllowed.selector) {
                assertEq(logs[i].topics[1], bytes32(uint256(1)));
                assertEq(logs[i].data, abi.encode(true));
                ++told;
            }
        }
        assertEq(told, 2);
    }

    function test_Ownership_MovesInTwoSteps() external {
        Ownable2Step owned = Ownable2Step(address(market));
        assertEq(owned.owner(), governor);
        vm.prank(governor);
        owned.transferOwnership(stranger);
        assertEq(owned.owner(), governor);
        vm.prank(stranger);
        owned.acceptOwnership();
        assertEq(owned.owner(), stranger);
        vm.prank(stranger);
        market.setMinStake(1e18);
    }

    function test_AddParams_AppendsAVersion() external {
        Params memory p = _params();
        p.feeBps = 1_000;
        vm.expectEmit(address(market));
        emit LedgerFacts.ParamsAdded(2, p);
        vm.prank(governor);
        assertEq(market.addParams(p), 2);
        assertEq(abi.encode(market.params(2)), abi.encode(p));
        assertEq(abi.encode(market.params(1)), abi.encode(_params()), "the old one stays");
        (Rules rules,,,,) = market.config();
        assertEq(Rules.unwrap(rules), Rules.unwrap(RulesLib.pack(p, 2)));
    }

    /// @dev One field out of its bounds at a time, at both ends.
    function test_RevertWhen_AddParams_AFieldIsOutOfBounds() external {
        Params memory p = _params();
        p.feeBps = 1_001;
        _refuses(p, "feeBps", 1_001, 0, 1_000);
        p = _params();
        p.bondTenths = 1_001;
        _refuses(p, "bondTenths", 1_001, 0, 1_000);
        p = _params();
        p.noShowBps = 99;
        _refuses(p, "noShowBps", 99, 100, 10_000);
        p.noShowBps = 10_001;
        _refuses(p, "noShowBps", 10_001, 100, 10_000);
        p = _params();
        p.burnBps = 999;
        _refuses(p, "burnBps", 999, 1_000, 10_000);
        p.burnBps = 10_001;
        _refuses(p, "burnBps", 10_001, 1_000, 10_000);
        p.burnBps = 6_000;
        p.retryBps = 4_001;
        _refuses(p, "retryBps", 4_001, 0, 4_000);
        p = _params();
        (p.auditRates, p.feeBps) = (3 << 14, 499); // 5 % of runtime 7
        _refuses(p, "auditRates", 500, 0, 499);
        (p.auditRates, p.feeBps) = (2 << 2, 199); // 2 % of runtime 1
        _refuses(p, "auditRates", 200, 0, 199);
        p = _params();
        p.revealWindow = 4;
        _refuses(p, "revealWindow", 4, 5, 2 hours);
        p.revealWindow = 2 hours + 1;
        _refuses(p, "revealWindow", 2 hours + 1, 5, 2 hours);
        p = _params();
        p.auditWindow = 4;
        _refuses(p, "auditWindow", 4, 5, 12 hours);
        p.auditWindow = 12 hours + 1;
        _refuses(p, "auditWindow", 12 hours + 1, 5, 12 hours);
        p = _params();
        p.openFor = 1 days + 1;
        _refuses(p, "openFor", 1 days + 1, 0, 1 days);
        p = _params();
        p.drawStep = 0;
        _refuses(p, "drawStep", 0, 1, 1 hours);
        p.drawStep = 3_601;
        _refuses(p, "drawStep", 3_601, 1, 1 hours);
        p = _params();
        p.drawOpenAfter = 0;
        _refuses(p, "drawOpenAfter", 0, 1, 6 hours);
        p.drawOpenAfter = 6 hours + 1;
        _refuses(p, "drawOpenAfter", 6 hours + 1, 1, 6 hours);
    }

    function _refuses(Params memory p, bytes32 name, uint256 value, uint256 least, uint256 most) private {
        vm.expectRevert(_bounds(name, value, least, most));
        vm.prank(governor);
        market.addParams(p);
    }

    /// @dev Inside the bounds is taken and read back as it was; outside is refused. Nothing in between.
    function testFuzz_AddParams_TakesExactlyWhatIsInBounds(Params memory p) external {
        bool fits = p.feeBps <= 1_000 && p.bondTenths <= 1_000 && p.noShowBps >= 100 && p.noShowBps <= 10_000
            && p.burnBps >= 1_000 && p.burnBps <= 10_000 && uint256(p.burnBps) + p.retryBps <= 10_000
            && _dearestAudit(p) <= p.feeBps && p.revealWindow >= 5 && p.revealWindow <= 2 hours && p.auditWindow >= 5
            && p.auditWindow <= 12 hours && p.openFor <= 1 days && p.drawStep >= 1 && p.drawStep <= 1 hours
            && p.drawOpenAfter >= 1 && p.drawOpenAfter <= 6 hours;
        vm.prank(governor);
        try market.addParams(p) returns (uint16 version) {
            assertTrue(fits, "was taken");
            assertEq(abi.encode(market.params(version)), abi.encode(p));
        } catch {
            assertFalse(fits, "was refused");
        }
    }

    /// @dev The highest of the eight rates, basis points.
    function _dearestAudit(Params memory p) private pure returns (uint256 most) {
        uint256[4] memory rates = [uint256(0), 100, 200, 500];
        for (uint256 r; r < 8; ++r) {
            uint256 rate = rates[(p.auditRates >> (2 * r)) & 3];
            if (rate > most) most = rate;
        }
    }

    function testFuzz_AddParams_AnythingInBoundsIsTaken(Params memory p) external {
        p.feeBps %= 1_001;
        p.bondTenths %= 1_001;
        p.noShowBps = 100 + p.noShowBps % 9_901;
        p.burnBps = 1_000 + p.burnBps % 9_001;
        p.retryBps %= 10_001 - p.burnBps;
        if (_dearestAudit(p) > p.feeBps) p.auditRates = 0;
        p.revealWindow = 5 + p.revealWindow % (2 hours - 4);
        p.auditWindow = 5 + p.auditWindow % (12 hours - 4);
        p.openFor %= 1 days + 1;
        p.drawStep = 1 + p.drawStep % 3_600;
        p.drawOpenAfter = 1 + p.drawOpenAfter % 6 hours;
        vm.prank(governor);
        market.addParams(p);
    }

    function test_SetMinStake_InBounds() external {
        vm.startPrank(governor);
        uint96[5] memory refused = [uint96(0), 1e18 - 1, 1_000_000e18 + 1, 1_000_001e18, 1.5e18];
        for (uint256 i; i < refused.length; ++i) {
            vm.expectRevert(_bounds("minStake", refused[i], 1e18, 1_000_000e18));
            market.setMinStake(refused[i]);
        }
        market.setMinStake(1_000_000e18);
        vm.expectEmit(address(market));
        emit LedgerFacts.MinStakeSet(1e18);
        market.setMinStake(1e18);
    }

    function test_SetMinStake_CountsForTheNextClaim() external {
        Terms memory t = _terms();
        _post(t);
        vm.prank(governor);
        market.setMinStake(STAKE + 1e18);
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.StakeTooLow.selector, alice.id, STAKE, STAKE + 1e18));
        vm.prank(alice.operator);
        market.claim(t.pack(), alice.id, 1);
        vm.prank(governor);
        market.setMinStake(STAKE);
        _claim(t, alice, 1);
    }

    function test_SetUnbonding_InBounds() external {
        vm.startPrank(governor);
        vm.expectRevert(_bounds("unbonding", 7 days - 1, 7 days, 60 days));
        market.setUnbonding(7 days - 1);
        vm.expectRevert(_bounds("unbonding", 60 days + 1, 7 days, 60 days));
        market.setUnbonding(60 days + 1);
        vm.expectEmit(address(market));
        emit LedgerFacts.UnbondingSet(7 days);
        market.setUnbonding(7 days);
        market.setUnbonding(9 days);
        vm.stopPrank();
        vm.prank(alice.owner);
        market.queueUnstake(alice.id, 1e18);
        assertEq(market.node(alice.id).unstakeAt, _now() + 9 days);
    }

    function test_AllowCurrencyAndRuntime_RefuseWhatCannotBe() external {
        vm.startPrank(governor);
        vm.expectRevert(LedgerFacts.AddressZero.selector);
        market.allowCurrency(address(0), true);
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.RuntimesInvalid.selector, 0));
        market.allowRuntime(0, true);
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.RuntimesInvalid.selector, 32));
        market.allowRuntime(32, true);
        vm.expectEmit(address(market));
        emit LedgerFacts.RuntimeAllowed(31, true);
        market.allowRuntime(31, true);
        (, bool allowed) = market.runtime(31);
        assertTrue(allowed);
        market.allowRuntime(31, false);
        for (uint8 id; id < 32; ++id) {
            (, allowed) = market.runtime(id);
            assertEq(allowed, id == 1, "wasm alone");
        }
    }

    function test_SetTreasury_IsNeverNobody() external {
        vm.startPrank(governor);
        vm.expectRevert(LedgerFacts.AddressZero.selector);
        market.setTreasury(address(0));
        market.setTreasury(stranger);
        assertEq(market.treasury(), stranger);
    }

    function test_SetTier_OfAKnownNode() external {
        vm.startPrank(governor);
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.NodeUnknown.selector, 99));
        market.setTier(99, 1, 1);
        vm.expectEmit(address(market));
        emit NodeFacts.NodeTierSet(alice.id, 3, 77);
        market.setTier(alice.id, 3, 77);
        assertEq(market.node(alice.id).tier, 3);
        assertEq(market.node(alice.id).tierUntil, 77);
    }

    /// @dev The prover gives tiers and nothing else; the owner still may.
    function test_SetProver_MayGiveTiersAlone() external {
        address prover = makeAddr("prover");
        vm.prank(governor);
        vm.expectEmit(address(market));
        emit LedgerFacts.ProverSet(prover);
        market.setProver(prover);
        assertEq(market.prover(), prover);
        vm.startPrank(prover);
        market.setTier(alice.id, 2, 78);
        assertEq(market.node(alice.id).tier, 2);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, prover));
        market.setProver(stranger);
        vm.stopPrank();
        vm.startPrank(governor);
        market.setTier(alice.id, 3, 79);
        market.setProver(address(0));
        vm.stopPrank();
        vm.prank(prover);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, prover));
        market.setTier(alice.id, 4, 80);
        assertEq(market.node(alice.id).tierUntil, 79);
    }

    function test_SetGuardian_ForAYearAtMost() external {
        uint256 latest = _now() + 365 days;
        vm.startPrank(governor);
        vm.expectRevert(_bounds("guardianUntil", latest + 1, 0, latest));
        market.setGuardian(stranger, uint40(latest + 1));
        market.setGuardian(stranger, uint40(latest));
        (address guardian, uint40 until) = market.guardian();
        assertEq(guardian, stranger);
        assertEq(until, latest);
    }

    function test_Pause_OnlyByTheGuardianInItsTerm() external {
        vm.expectRevert(abi.encodeWithSelector(LedgerFacts.NotGuardian.selector, governor));
        vm.prank(governor);
        market.pause(1);

        (, uint40 until) = market.guardian();
        vm.warp(until + 1);
        vm.startPrank(guard);
        vm.expectRevert(abi.encodeWithSelector(LedgerFacts.NotGuardian.selector, guard));
        market.pause(1);
        vm.warp(until);
        market.pause(1);
    }

    function test_Pause_IsBoundedInLengthAndFrequency() external {
        vm.startPrank(guard);
        vm.expectRevert(abi.encodeWithSelector(LedgerFacts.PauseNotAllowed.selector, 0, 0));
        market.pause(0);
        vm.expectRevert(abi.encodeWithSelector(LedgerFacts.PauseNotAllowed.selector, 3 days + 1, 0));
        market.pause(3 days + 1);
        uint40 until = uint40(_now() + 3 days);
        vm.expectEmit(address(market));
        emit LedgerFacts.Paused(guard, until);
        market.pause(3 days);

        uint40 earliest = until + 4 days;
        vm.warp(earliest - 1);
        vm.expectRevert(abi.encodeWithSelector(LedgerFacts.PauseNotAllowed.selector, 1, earliest));
        market.pause(1);
        vm.warp(earliest);
        market.pause(1);
    }

    /// @dev A second guardian does not get a pause of its own before the cooldown is over.
    function test_Pause_CooldownOutlivesTheGuardian() external {
        _pause();
        uint40 earliest = uint40(_now() + 5 days);
        vm.prank(governor);
        market.setGuardian(stranger, uint40(_now() + 30 days));
        vm.expectRevert(abi.encodeWithSelector(LedgerFacts.PauseNotAllowed.selector, 1, earliest));
        vm.prank(stranger);
        market.pause(1);
    }
}
