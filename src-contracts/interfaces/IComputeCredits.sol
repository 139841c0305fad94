// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Lease, Result} from "src-contracts/types/Lease.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @notice What credits say: events and errors. The events alone rebuild every number.
interface CreditFacts {
    /// @notice Emitted for each lease that credits were minted for: `amount` to `owner`, at most `value`, which is the protocol's fee
    /// in credits; `pressure` (billionths) is how far up its ramp the lease was claimed.
    event CreditsMinted(
        bytes32 indexed job,
        uint32 indexed node,
        address indexed owner,
        uint32 first,
        uint8 runtime,
        uint32 epoch,
        uint256 amount,
        uint256 value,
        uint256 pressure
    );
    /// @notice Emitted when the epoch's cap kept `missing` credits of one call from being minted. They are lost, which their owner chose.
    event EpochCapReached(uint32 indexed epoch, uint256 missing);
    /// @notice Emitted when epoch `epoch` became the current one. It began at `startedAt`; epochs between it and the last were empty.
    event EpochRolled(uint32 indexed epoch, uint40 startedAt);
    /// @notice Emitted when the weight of `runtime` (billionths) was brought up to `epoch`, from `fees` (millionths of a credit) and
    /// `pressures` (the same times billionths) of the last epoch that it was used in.
    event WeightMoved(uint8 indexed runtime, uint32 indexed epoch, uint32 weight, uint256 fees, uint256 pressures);
    /// @notice Emitted when `payer` burnt `amount` for the priority of `job`, which is now `total`.
    event JobPrioritized(bytes32 indexed job, address indexed payer, uint256 amount, uint256 total);
    /// @notice Emitted when `buyer` paid `cost` DPU to the treasury for `amount` credits, minted to `to`.
    event CreditsBought(address indexed buyer, address indexed to, uint256 amount, uint256 cost);
    /// @notice Emitted when governance set how many credits 1e18 smallest units of fee in `currency` can earn; 0: none.
    event RateSet(address indexed currency, uint256 rate);
    /// @notice Emitted when governance set what a unit of `runtime` earns at weight one, in credits (wei); 0: nothing.
    event PerUnitSet(uint8 indexed runtime, uint56 perUnit);
    /// @notice Emitted when governance set the length of epochs, from the current one on.
    event EpochLengthSet(uint24 length);
    /// @notice Emitted when governance set how many credits an epoch may mint for work.
    event CapSet(uint80 cap);
    /// @notice Emitted when governance set the target pressure (billionths).
    event TargetSet(uint32 target);
    /// @notice Emitted when governance set the bounds of weights (billionths).
    event WeightBoundsSet(uint32 least, uint32 most);
    /// @notice Emitted when governance set what a credit costs, in DPU wei.
    event OfferSet(uint64 offer);

    /// @notice Thrown when fees in `currency` earn nothing. Receipts stay good.
    error CurrencyEarnsNothing(address currency);
    /// @notice Thrown when units of `runtime` earn nothing. Receipts stay good.
    error RuntimeEarnsNothing(uint8 runtime);
    /// @notice Thrown when work was direct or its node was named: nobody drew or checked it.
    error WorkNotDrawn(bytes32 job);
    /// @notice Thrown when the epoch's cap leaves less than a lease has earned and somebody else than its owner would use the receipt up. It
    /// stays good for a later epoch.
    error CapLeavesLess(address owner, uint256 earned, uint256 left);
    /// @notice Thrown when receipts of the job counted until `until`, and no longer.
    error ReceiptTooOld(bytes32 job, uint256 until);
    /// @notice Thrown when the Market answers for another number of leases than it was asked about.
    error ReceiptsMismatch(uint256 asked, uint256 answered);
    /// @notice Thrown when the current epoch is not over. `endsAt` is the first second of the next.
    error EpochRunning(uint256 endsAt);
    /// @notice Thrown when a runtime's id is out of range.
    error RuntimeUnknown(uint8 runtime);
    /// @notice Thrown when a rate is to be set for credits themselves.
    error CreditsEarnNoCredits();
    /// @notice Thrown when a purchase would cost more than the buyer allows.
    error CostTooHigh(uint256 cost, uint256 most);
    /// @notice Thrown when an amount is zero.
    error AmountZero();
    /// @notice Thrown when an address is zero.
    error AddressZero();
    /// @notice Thrown when the signature's last second has passed.
    error SignatureExpired(uint256 deadline);
    /// @notice Thrown when a signature is not the owner's.
    error SignatureInvalid(address signer, address owner);
}

/// @notice Compute credits: minted for verified work, burnt for priority, spent on jobs, traded. Shares are in billionths, amounts in wei.
interface IComputeCredits is CreditFacts {
    /* WORK */

    /// @notice Mints for settled leases of one job, each to who owned its node: `min(units × perUnit × weight, fee × rate)`, as long as the
    /// epoch's cap lasts. Anyone may call, but only the owner for less than the work has earned. Returns what was minted in all.
    function mint(Terms calldata terms, Lease[] calldata leases, Result[] calldata results) external returns (uint256);

    /// @notice Settles the leases in the Market, then mints for them.
    function settleAndMint(Terms calldata terms, Lease[] calldata leases, Result[] calldata results)
        external
        returns (uint256);

    /// @notice Mints for a range that several nodes computed, or that was audited: all who were paid in full, in the order of their commitments.
    function mintPanel(Terms calldata terms, Lease[] calldata seats, Result[] calldata results)
        external
        returns (uint256);

    /* EPOCHS */

    /// @notice Begins the epoch that the time belongs to. Minting does so too.
    function roll() external;

    /// @notice Brings the weights of `runtimes` up to date. Minting does so too; `weightOf` answers without it.
    function updateWeights(uint8[] calldata runtimes) external;

    /* CREDITS IN USE */

    /// @notice Burns `amount` of the caller's credits for the priority of `job`. It need not be posted yet.
    function prioritize(bytes32 job, uint256 amount) external;

    /// @notice The same by the owner's EIP-712 signature `Prioritize(owner, job, amount, nonce, deadline)`, so that anyone may pay the gas.
    /// @dev Not EIP-2612: a permit does not name the job, so whoever saw it could spend it on another.
    function prioritizeWithSignature(
        address owner,
        bytes32 job,
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice Sells `amount` newly minted credits to the caller for DPU, at the standing offer, to `to`. The DPU goes to the treasury. The
    /// epoch's cap does not count here: that anyone can buy at any time is what keeps credits from being worth more than work for them costs.
    /// @param mostCost Reverts when the cost, rounded up, is more.
    function buy(uint256 amount, address to, uint256 mostCost) external returns (uint256 cost);

    /* GOVERNANCE: the owner is the timelock */

    function setRate(address currency, uint256 rate) external;

    function setPerUnit(uint8 runtime, uint56 perUnit) external;

    function setEpochLength(uint24 length) external;

    function setCap(uint80 cap) external;

    function setTarget(uint32 target) external;

    function setWeightBounds(uint32 least, uint32 most) external;

    function setOffer(uint64 offer) external;

    /* VIEWS */

    /// @notice The epoch that the time belongs to, rolled or not: number, begin, first second of the next, credits minted for work and
    /// the most that may be.
    function epoch()
        external
        view
        returns (uint32 number, uint256 startedAt, uint256 endsAt, uint256 minted, uint256 cap);

    /// @notice The weight of a runtime now, moved by all epochs that are over, in billionths.
    function weightOf(uint8 runtime) external view returns (uint256);

    /// @notice What a unit of `runtime` earns at weight one, and what has been counted in the current epoch.
    function runtimeOf(uint8 runtime) external view returns (uint256 perUnit, uint256 fees, uint256 pressures);

    /// @notice Credits for 1e18 smallest units of fee in `currency`.
    function rateOf(address currency) external view returns (uint256);

    /// @notice Target pressure, least and greatest weight (billionths), and the price of a credit in DPU wei.
    function settings() external view returns (uint32 target, uint32 least, uint32 most, uint64 offer);

    /// @notice Credits burnt for a job.
    function priorityOf(bytes32 job) external view returns (uint256);
}
