// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Vm} from "forge-std/Vm.sol";
import {CreditFacts, IComputeCredits} from "src-contracts/interfaces/IComputeCredits.sol";
import {Earned} from "src-contracts/interfaces/IReceipts.sol";
import {Lease as PackedLease, Result} from "src-contracts/types/Lease.sol";
import {RulesLib} from "src-contracts/types/Rules.sol";
import {Terms as PackedTerms} from "src-contracts/types/Terms.sol";
import {CreditsTest} from "test/contracts/credits/CreditsTest.sol";
import {HonestReceipts, IReceiptMaker} from "test/contracts/credits/HonestReceipts.sol";
import {Terms} from "test/contracts/lib/Readable.sol";
import {UsdToken} from "test/contracts/lib/Tokens.sol";

/// @dev A market that answers for fewer leases than it was asked about.
contract ShortReceipts is HonestReceipts {
    constructor() HonestReceipts(address(1)) {}

    function redeem(PackedTerms calldata, PackedLease[] calldata, Result[] calldata)
        external
        pure
        override
        returns (Earned[] memory)
    {
        return new Earned[](0);
    }
}

/// @dev A market that answers a call for receipts by minting once more.
contract ReentrantReceipts is HonestReceipts {
    constructor() HonestReceipts(address(1)) {}

    function redeem(PackedTerms calldata terms, PackedLease[] calldata leases, Result[] calldata results)
        external
        override
        returns (Earned[] memory)
    {
        (, bytes memory answer) = msg.sender.call(abi.encodeCall(IComputeCredits.mint, (terms, leases, results)));
        assembly ("memory-safe") {
            revert(add(answer, 32), mload(answer))
        }
    }
}

contract CreditsMintTest is CreditsTest {
    constructor() CreditsTest(new HonestReceipts(makeAddr("treasury"))) {}

    /* WHAT IS MINTED */

    function test_Mint_PaysUnitsTimesWeight() external {
        Batch memory b = _one(_terms(), 1.25e18, 1, UNITS);
        b.leases[0].first = 3;
        _settle(b, alice);

        vm.expectEmit(address(credits));
        emit CreditFacts.CreditsMinted(_id(b.t), 7, alice, 3, WASM, 0, 0.01e18, 0.0375e18, 0.25e9);
        vm.prank(stranger);
        assertEq(_mint(b), 0.01e18);

        assertEq(credits.balanceOf(alice), 0.01e18);
        assertEq(credits.totalSupply(), 0.01e18);
        assertEq(_minted(), 0.01e18);
        (, uint256 fees, uint256 pressures) = credits.runtimeOf(WASM);
        assertEq(fees, 37_500, "the whole fee is counted, in millionths");
        assertEq(pressures, 37_500 * 0.25e9);
    }

    function test_Mint_PaysAtMostTheFee() external {
        assertEq(_earn(1.25e18, 1, 3_750), 0.0375e18, "the last unit that the fee covers");
        assertEq(_earn(1.25e18, 1, 3_751), 0.0375e18);
        assertEq(_earn(1.25e18, 1, type(uint64).max), 0.0375e18);
        assertEq(_earn(1.25e18, 64, type(uint64).max), 64 * 0.0375e18, "of all its shards");
    }

    function test_Mint_PaysEachOwner() external {
        Terms memory t = _terms();
        Batch memory a = _batch(t, 3);
        for (uint256 i; i < 3; ++i) {
            market.reveal(t.pack(), a.leases[i].pack(), a.results[i], i == 1 ? bob : alice);
        }
        market.settle(t.pack(), _packed(a), a.results);
        assertEq(_mint(a), 0.03e18);
        assertEq(credits.balanceOf(alice), 0.02e18);
        assertEq(credits.balanceOf(bob), 0.01e18);
    }

    function test_Mint_CountsHowFarUpTheRamp() external {
        uint96[5] memory prices = [uint96(0.5e18), 1e18, 1.5e18, 2e18, 3e18];
        uint32[5] memory expected = [uint32(0), 0, 0.5e9, 1e9, 1e9];
        for (uint256 i; i < prices.length; ++i) {
            _pass(1);
            _earn(prices[i], 1, UNITS);
            (, uint256 fees, uint256 pressures) = credits.runtimeOf(WASM);
            assertEq(pressures, fees * expected[i]);
        }
    }

    function test_Mint_OfOnePriceCountsTheTarget() external {
        Terms memory t = _terms();
        t.maxPrice = 1e18;
        Batch memory b = _one(t, 1e18, 1, UNITS);
        _settle(b, alice);
        _mint(b);
        (, uint256 fees, uint256 pressures) = credits.runtimeOf(WASM);
        assertEq(pressures, fees * 0.25e9);
        _pass(1);
        assertEq(credits.weightOf(WASM), ONE, "no signal");
    }

    function test_Mint_InAnotherCurrencyFollowsItsRate() external {
        UsdToken usd = new UsdToken();
        vm.prank(governor);
        credits.setRate(address(usd), 2e29); // five dollars a credit
        Terms memory t = _terms();
        (t.currency, t.minPrice, t.maxPrice) = (address(usd), 1e6, 2e6);
        Batch memory b = _one(t, 1.25e6, 1, type(uint64).max);
        _settle(b, alice);
        assertEq(_mint(b), 0.0075e18); // 0.0375 dollars of fee
    }

    function test_Mint_WithoutFeeIsNothing() external {
        Terms memory t = _terms();
        t.rules = RulesLib.pack(_params(0), 1);
        Batch memory b = _one(t, 1.25e18, 1, UNITS);
        _settle(b, alice);
        vm.recordLogs();
        assertEq(_mint(b), 0);
        assertEq(credits.totalSupply(), 0);
        assertEq(_said(), abi.encode(1, CreditFacts.CreditsMinted.selector), "no transfer, and no cap that was reached");
    }

    /// @dev How many events the credits have told since they are recorded, and the topic of the last.
    function _said() private returns (bytes memory) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 count;
        bytes32 last;
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].emitter != address(credits)) continue;
            ++count;
            last = logs[i].topics[0];
        }
        return abi.encode(count, last);
    }

    function test_Mint_NamesItsEpoch() external {
        Batch memory b = _one(_terms(), 1.25e18, 1, UNITS);
        b.t.expiry = uint40(T0 + 4 * DAY);
        _settle(b, alice);
        _pass(3);
        vm.expectEmit(address(credits));
        emit CreditFacts.CreditsMinted(_id(b.t), 7, alice, 0, WASM, 3, 0.01e18, 0.0375e18, 0.25e9);
        _mint(b);
    }

    /* CAP */

    function test_Mint_StopsAtTheCap() external {
        _setCap(1e18);
        Batch memory b = _one(_terms(), 30e18, 1, type(uint64).max); // fee 0.9
        _settle(b, alice);
        _mint(b);
        Batch memory over = _batch(_terms(), 2);
        (over.leases[0].price, over.leases[1].price) = (3e18, 1e18); // fees 0.09 and 0.03
        (over.results[0].units, over.results[1].units) = (type(uint64).max, type(uint64).max);
        _settle(over, bob);

        vm.expectRevert(abi.encodeWithSelector(CreditFacts.CapLeavesLess.selector, bob, 0.03e18, 0.01e18));
        _mint(over);

        vm.expectEmit(address(credits));
        emit CreditFacts.EpochCapReached(0, 0.02e18);
        vm.prank(bob);
        assertEq(_mint(over), 0.1e18, "who waits loses nothing, the owner need not wait");
        assertEq(credits.balanceOf(bob), 0.1e18);
        assertEq(_minted(), 1e18);

        Batch memory later = _one(_terms(), 1.25e18, 1, type(uint64).max);
        _settle(later, alice);
        vm.expectRevert(abi.encodeWithSelector(CreditFacts.CapLeavesLess.selector, alice, 0.0375e18, 0));
        _mint(later);
        _pass(1);
        assertEq(_mint(later), 0.0375e18, "the receipt stayed good");
    }

    function test_Mint_BelowWhatWasMintedTheCapLeavesNothing() external {
        _setCap(3e18);
        _earn(100e18, 1, type(uint64).max); // 3
        _setCap(1e18);
        Batch memory b = _one(_terms(), 1.25e18, 1, UNITS);
        _settle(b, alice);
        vm.prank(alice);
        assertEq(_mint(b), 0);
        assertEq(_minted(), 3e18);
    }

    /* SETTLE AND MINT */

    function test_SettleAndMint_DoesBoth() external {
        Batch memory b = _one(_terms(), 1.25e18, 1, UNITS);
        _reveal(b, alice);
        assertEq(credits.settleAndMint(b.t.pack(), _packed(b), b.results), 0.01e18);
        assertEq(credits.balanceOf(alice), 0.01e18);
        vm.expectRevert(abi.encodeWithSelector(IReceiptMaker.NoReceipt.selector, 0));
        _mint(b);
    }

    function test_RevertWhen_SettleAndMint_WasSettledBefore() external {
        Batch memory b = _one(_terms(), 1.25e18, 1, UNITS);
        _settle(b, alice);
        vm.expectRevert(abi.encodeWithSelector(IReceiptMaker.NotRevealed.selector, 0));
        credits.settleAndMint(b.t.pack(), _packed(b), b.results);
    }

    /* REFUSALS */

    function test_RevertWhen_Mint_TheReceiptWasUsed() external {
        Batch memory b = _one(_terms(), 1.25e18, 1, UNITS);
        _settle(b, alice);
        _mint(b);
        vm.expectRevert(abi.encodeWithSelector(IReceiptMaker.NoReceipt.selector, 0));
        _mint(b);
    }

    function test_RevertWhen_Mint_TheReceiptIsThereTwice() external {
        Batch memory b = _batch(_terms(), 2);
        b.leases[1] = b.leases[0];
        b.results[1] = b.results[0];
        _settle(_one(b.t, 1.25e18, 1, UNITS), alice);
        vm.expectRevert(abi.encodeWithSelector(IReceiptMaker.NoReceipt.selector, 1));
        _mint(b);
    }

    function test_RevertWhen_Mint_TheCurrencyEarnsNothing() external {
        Terms memory t = _terms();
        t.currency = address(0xC1);
        Batch memory b = _one(t, 1.25e18, 1, UNITS);
        _settle(b, alice);
        vm.expectRevert(abi.encodeWithSelector(CreditFacts.CurrencyEarnsNothing.selector, address(0xC1)));
        _mint(b);

        vm.prank(governor);
        credits.setRate(address(0xC1), 1e18);
        assertEq(_mint(b), 0.01e18, "the receipt stayed good");
    }

    function test_RevertWhen_Mint_TheRuntimeEarnsNothing() external {
        Terms memory t = _terms();
        t.runtime = 4;
        Batch memory b = _one(t, 1.25e18, 1, UNITS);
        _settle(b, alice);
        vm.expectRevert(abi.encodeWithSelector(CreditFacts.RuntimeEarnsNothing.selector, 4));
        _mint(b);

        vm.prank(governor);
        credits.setPerUnit(4, 2e13);
        assertEq(_mint(b), 0.02e18, "the receipt stayed good");
    }

    function test_RevertWhen_Mint_TheWorkWasNotDrawn() external {
        Terms memory t = _terms();
        t.direct = true;
        Batch memory b = _one(t, 1.25e18, 1, UNITS);
        _settle(b, alice);
        vm.expectRevert(abi.encodeWithSelector(CreditFacts.WorkNotDrawn.selector, _id(t)));
        _mint(b);

        (t.direct, t.node) = (false, 7);
        b = _one(t, 1.25e18, 1, UNITS);
        _settle(b, alice);
        vm.expectRevert(abi.encodeWithSelector(CreditFacts.WorkNotDrawn.selector, _id(t)));
        _mint(b);
    }

    function test_RevertWhen_Mint_TheReceiptIsTooOld() external {
        Batch memory b = _one(_terms(), 1.25e18, 1, UNITS);
        Batch memory late = _one(_terms(), 1.25e18, 1, UNITS);
        _settle(b, alice);
        _settle(late, alice);
        uint256 until = uint256(b.t.expiry) + 30 days;
        vm.warp(until);
        assertEq(_mint(b), 0.01e18, "the last good second");
        vm.warp(until + 1);
        vm.expectRevert(abi.encodeWithSelector(CreditFacts.ReceiptTooOld.selector, _id(late.t), until));
        _mint(late);
    }

    function test_RevertWhen_Mint_TheMarketAnswersForOthers() external {
        address short = address(new ShortReceipts());
        credits = _on(short);
        Batch memory b = _one(_terms(), 1.25e18, 1, UNITS);
        vm.expectRevert(abi.encodeWithSelector(CreditFacts.ReceiptsMismatch.selector, 1, 0));
        _mint(b);
    }

    function test_RevertWhen_Mint_TheMarketComesBack() external {
        credits = _on(address(new ReentrantReceipts()));
        Batch memory b = _one(_terms(), 1.25e18, 1, UNITS);
        vm.expectRevert(abi.encodeWithSignature("ReentrancyGuardReentrantCall()"));
        _mint(b);
    }

    /* FUZZ */

    function testFuzz_Mint_IsNeverMoreThanFeeUnitsOrCap(
        uint96 price,
        uint16 count,
        uint64 units,
        uint16 feeBps,
        uint80 cap
    ) external {
        feeBps = uint16(bound(feeBps, 0, 1_000));
        cap = uint80(bound(cap, 1e18, 1_000_000e18));
        _setCap(cap);
        Terms memory t = _terms();
        t.rules = RulesLib.pack(_params(feeBps), 1);
        Batch memory b = _one(t, price, count, units);
        _settle(b, alice);
        vm.prank(alice);
        uint256 minted = _mint(b);

        uint256 fee = uint256(price) * count * feeBps / 10_000;
        uint256 worth = uint256(units) * 1e13;
        uint256 expected = fee < worth ? fee : worth;
        assertEq(minted, expected < cap ? expected : cap);
        assertEq(credits.balanceOf(alice), minted);
        assertEq(_minted(), minted);
    }
}
