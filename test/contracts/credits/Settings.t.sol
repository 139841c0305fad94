// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {CreditFacts} from "src-contracts/interfaces/IComputeCredits.sol";
import {CreditsTest} from "test/contracts/credits/CreditsTest.sol";
import {HonestReceipts} from "test/contracts/credits/HonestReceipts.sol";

contract CreditsSettingsTest is CreditsTest {
    constructor() CreditsTest(new HonestReceipts(makeAddr("treasury"))) {}

    function _refused(bytes memory call, bytes32 name, uint256 value, uint256 least, uint256 most) private {
        vm.prank(governor);
        (bool ok, bytes memory answer) = address(credits).call(call);
        assertFalse(ok);
        bytes memory expected =
            abi.encodeWithSignature("ParameterOutOfBounds(bytes32,uint256,uint256,uint256)", name, value, least, most);
        assertEq(answer, expected);
    }

    function _taken(bytes memory call) private {
        vm.prank(governor);
        (bool ok,) = address(credits).call(call);
        assertTrue(ok);
    }

    function test_Settings_BeginAtTheirStartingValues() external view {
        assertEq(IERC20Metadata(address(credits)).name(), "DPU Compute Credit");
        assertEq(IERC20Metadata(address(credits)).symbol(), "DPUC");
        assertEq(credits.MARKET(), address(market));
        assertEq(credits.TOKEN(), address(dpu));
        assertEq(credits.FIRST_EPOCH_LENGTH(), DAY);
        (uint32 target, uint32 least, uint32 most, uint64 offer) = credits.settings();
        assertEq(abi.encode(target, least, most), abi.encode(0.25e9, 0.5e9, 4e9));
        assertEq(offer, 0.2e18);
        assertEq(credits.rateOf(address(dpu)), 1e18);
        (uint256 perUnit,,) = credits.runtimeOf(WASM);
        assertEq(perUnit, 1e13);
        assertEq(credits.totalSupply(), 0);
        (uint32 number, uint256 startedAt, uint256 endsAt, uint256 minted, uint256 cap) = credits.epoch();
        assertEq(abi.encode(number, startedAt, endsAt, minted, cap), abi.encode(0, T0, T0 + DAY, 0, 10_000e18));
    }

    /// @dev Whoever follows the events knows the starting values too.
    function test_Settings_TheirStartingValuesAreTold() external {
        address next = vm.computeCreateAddress(address(this), vm.getNonce(address(this)));
        vm.expectEmit(next);
        emit CreditFacts.EpochRolled(0, uint40(T0));
        vm.expectEmit(next);
        emit CreditFacts.EpochLengthSet(uint24(DAY));
        vm.expectEmit(next);
        emit CreditFacts.CapSet(10_000e18);
        vm.expectEmit(next);
        emit CreditFacts.TargetSet(0.25e9);
        vm.expectEmit(next);
        emit CreditFacts.WeightBoundsSet(0.5e9, 4e9);
        vm.expectEmit(next);
        emit CreditFacts.OfferSet(0.2e18);
        vm.expectEmit(next);
        emit CreditFacts.PerUnitSet(WASM, 1e13);
        vm.expectEmit(next);
        emit CreditFacts.RateSet(address(dpu), 1e18);
        _on(address(market));
    }

    function test_Settings_AreWhatWasSet() external {
        vm.startPrank(governor);
        credits.setTarget(0.3e9);
        credits.setWeightBounds(0.6e9, 3e9);
        credits.setOffer(0.1e18);
        (uint32 target, uint32 least, uint32 most, uint64 offer) = credits.settings();
        assertEq(abi.encode(target, least, most, offer), abi.encode(0.3e9, 0.6e9, 3e9, 0.1e18));
    }

    function test_RevertWhen_Setting_ByAnyoneElse() external {
        bytes[] memory calls = new bytes[](7);
        calls[0] = abi.encodeCall(credits.setRate, (address(dpu), 0));
        calls[1] = abi.encodeCall(credits.setPerUnit, (1, 0));
        calls[2] = abi.encodeCall(credits.setEpochLength, (1 days));
        calls[3] = abi.encodeCall(credits.setCap, (1e18));
        calls[4] = abi.encodeCall(credits.setTarget, (0.25e9));
        calls[5] = abi.encodeCall(credits.setWeightBounds, (0.5e9, 4e9));
        calls[6] = abi.encodeCall(credits.setOffer, (0.1e18));
        for (uint256 i; i < calls.length; ++i) {
            vm.prank(stranger);
            (bool ok, bytes memory answer) = address(credits).call(calls[i]);
            assertFalse(ok);
            assertEq(answer, abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, stranger));
            _taken(calls[i]);
        }
    }

    function test_Bounds_AreKeptOnBothSides() external {
        _refused(abi.encodeCall(credits.setCap, (1e18 - 1)), "cap", 1e18 - 1, 1e18, 1_000_000e18);
        _refused(abi.encodeCall(credits.setCap, (1_000_000e18 + 1)), "cap", 1_000_000e18 + 1, 1e18, 1_000_000e18);
        _taken(abi.encodeCall(credits.setCap, (1_000_000e18)));
        _refused(abi.encodeCall(credits.setEpochLength, (6 hours - 1)), "epochLength", 6 hours - 1, 6 hours, 30 days);
        _refused(abi.encodeCall(credits.setEpochLength, (30 days + 1)), "epochLength", 30 days + 1, 6 hours, 30 days);
        _taken(abi.encodeCall(credits.setEpochLength, (6 hours)));
        _refused(abi.encodeCall(credits.setTarget, (0.25e9 - 1)), "target", 0.25e9 - 1, 0.25e9, 0.5e9);
        _refused(abi.encodeCall(credits.setTarget, (0.5e9 + 1)), "target", 0.5e9 + 1, 0.25e9, 0.5e9);
        _taken(abi.encodeCall(credits.setTarget, (0.5e9)));
        _refused(abi.encodeCall(credits.setWeightBounds, (0.5e9 - 1, 4e9)), "leastWeight", 0.5e9 - 1, 0.5e9, 1e9);
        _refused(abi.encodeCall(credits.setWeightBounds, (1e9 + 1, 4e9)), "leastWeight", 1e9 + 1, 0.5e9, 1e9);
        _refused(abi.encodeCall(credits.setWeightBounds, (1e9, 1e9 - 1)), "mostWeight", 1e9 - 1, 1e9, 4e9);
        _refused(abi.encodeCall(credits.setWeightBounds, (1e9, 4e9 + 1)), "mostWeight", 4e9 + 1, 1e9, 4e9);
        _taken(abi.encodeCall(credits.setWeightBounds, (1e9, 1e9)));
        _refused(abi.encodeCall(credits.setPerUnit, (1, 0.01e18 + 1)), "perUnit", 0.01e18 + 1, 0, 0.01e18);
        _taken(abi.encodeCall(credits.setPerUnit, (31, 0.01e18)));
    }

    /// @dev What a fee can give back: rate · offer, at most a quarter.
    function test_Bounds_OfRateAndOfferHoldTogether() external {
        address usd = address(0xC1);
        _refused(abi.encodeCall(credits.setRate, (address(dpu), 1e18 + 1)), "rate", 1e18 + 1, 0, 1e18);
        _refused(abi.encodeCall(credits.setRate, (usd, 1e30 + 1)), "rate", 1e30 + 1, 0, 1e30);
        _taken(abi.encodeCall(credits.setRate, (usd, 1e30)));
        _refused(abi.encodeCall(credits.setOffer, (0.01e18 - 1)), "offer", 0.01e18 - 1, 0.01e18, 1e18);
        _refused(abi.encodeCall(credits.setOffer, (0.2e18 + 1)), "rate * offer", 0.2e18 + 1, 0, 0.2e18);
        _taken(abi.encodeCall(credits.setRate, (address(dpu), 0.2e18)));
        _refused(abi.encodeCall(credits.setOffer, (1e18 + 1)), "offer", 1e18 + 1, 0.01e18, 1e18);
        _taken(abi.encodeCall(credits.setOffer, (1e18)));
        _refused(abi.encodeCall(credits.setRate, (address(dpu), 0.2e18 + 1)), "rate * offer", 0.2e18 + 1, 0, 0.2e18);
    }

    function test_RevertWhen_SetRate_OfCreditsOrNothing() external {
        vm.startPrank(governor);
        vm.expectRevert(CreditFacts.CreditsEarnNoCredits.selector);
        credits.setRate(address(credits), 0);
        vm.expectRevert(CreditFacts.AddressZero.selector);
        credits.setRate(address(0), 1);
    }

    function test_RevertWhen_SetPerUnit_OfNoRuntime() external {
        vm.startPrank(governor);
        vm.expectRevert(abi.encodeWithSelector(CreditFacts.RuntimeUnknown.selector, 0));
        credits.setPerUnit(0, 1);
        vm.expectRevert(abi.encodeWithSelector(CreditFacts.RuntimeUnknown.selector, 32));
        credits.setPerUnit(32, 1);
    }

    function test_RevertWhen_Constructed_WithoutMarketTokenOrLength() external {
        bytes[4] memory args = [
            abi.encode(0, dpu, governor, DAY),
            abi.encode(market, 0, governor, DAY),
            abi.encode(market, dpu, governor, 0),
            abi.encode(market, dpu, governor, 30 days + 1)
        ];
        for (uint256 i; i < args.length; ++i) {
            bytes memory code = abi.encodePacked(vm.getCode("ComputeCredits.sol:ComputeCredits"), args[i]);
            address made;
            assembly ("memory-safe") {
                made := create(0, add(code, 32), mload(code))
            }
            assertEq(made, address(0));
        }
    }

    /// @dev A local network begins with short epochs, and may have them four times shorter.
    function test_SetEpochLength_CountsFromTheCurrentBegin() external {
        vm.warp(T0 + DAY + 7 hours);
        vm.prank(governor);
        vm.expectEmit(address(credits));
        emit CreditFacts.EpochRolled(1, uint40(T0 + DAY));
        vm.expectEmit(address(credits));
        emit CreditFacts.EpochLengthSet(6 hours);
        credits.setEpochLength(6 hours);
        assertEq(_number(), 2, "it is in the second quarter already");
    }

    function test_SetWeightBounds_HoldsAtOnce() external {
        _setCap(1e18);
        for (uint256 i; i < 5; ++i) {
            _earn(100_000e18, 1, 0);
            _pass(1);
        }
        uint8[] memory runtimes = new uint8[](1);
        runtimes[0] = WASM;
        credits.updateWeights(runtimes); // nothing is left to be moved
        assertGt(credits.weightOf(WASM), 1.3e9);
        vm.prank(governor);
        credits.setWeightBounds(0.5e9, 1.2e9);
        assertEq(credits.weightOf(WASM), 1.2e9);
    }

    function test_SetPerUnit_KeepsWeightAndSums() external {
        _earn(1.5e18, 1, UNITS);
        vm.prank(governor);
        credits.setPerUnit(WASM, 5);
        (uint256 perUnit, uint256 fees,) = credits.runtimeOf(WASM);
        assertEq(perUnit, 5);
        assertEq(fees, 45_000);
    }

    function test_SetPerUnit_BringsTheWeightUp() external {
        _earn(100_000e18, 1, 0); // 3,000 of fee at the top of the ramp
        _pass(2);
        uint256 weight = credits.weightOf(WASM);
        assertGt(weight, ONE);
        vm.prank(governor);
        vm.expectEmit(address(credits));
        emit CreditFacts.WeightMoved(WASM, 2, uint32(weight), 3_000e6, 3_000e6 * ONE);
        credits.setPerUnit(WASM, 5);
        (uint256 perUnit, uint256 fees, uint256 pressures) = credits.runtimeOf(WASM);
        assertEq(abi.encode(perUnit, fees, pressures), abi.encode(5, 0, 0));
        assertEq(credits.weightOf(WASM), weight);
    }
}
